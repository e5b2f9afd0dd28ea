// How long does a step of a network take on a device? From the operations measured there and the network's trace. Pure.
// docs/SCORE.md states the formula.
#pragma once

#include <optional>
#include <vector>

#include "core/operation_times.h"
#include "core/workload.h"

namespace gpuassay {

/// What a device computes in: operations that mixed precision has in 16 bits, and all others.
struct ComputeTypes {
  DType half = DType::fp32, fp32 = DType::fp32;
  bool operator==(const ComputeTypes&) const = default;
};

DType type_of(TracedRole role, WorkloadPrecision precision, const ComputeTypes& types);

/// A GPU's 16 bits are fp16 where that is fast (from compute capability 7.0 on: bf16 runs at the same rate where it
/// exists, and older cards have none), else fp32; its fp32 is tf32 from 8.0 on. A CPU's are bf16 and fp32; one without
/// bf16 measures none, and is then predicted in fp32.
ComputeTypes preferred_types(const Device& device);

/// How the kernels of a step reach a GPU: one by one, as a framework does in eager mode, or as one CUDA graph, as
/// engines for inference do. A CPU has neither; the latencies it lacks count as nothing.
enum class LaunchMode { eager, graph };

/// Nanoseconds of one step, and what they are made of.
struct StepPrediction {
  double operations_ns = 0;  ///< products and convolutions
  double attention_ns = 0;
  double traffic_ns = 0;    ///< all other kernels
  double launching_ns = 0;  ///< what launching adds to them
  double step_ns = 0;       ///< the sum
  double low_ns = 0, high_ns = 0;
  double covered_share = 0;  ///< share of the products' and convolutions' FLOPs that was measured in these very shapes
};

/// Empty where the triad, or all operations of a kind and type that the workload has, were not measured.
///  - A product or a convolution: OperationTimes::of.
///  - Attention: its FLOPs at the rate of the products that it consists of, or its bytes at the triad's bandwidth,
///    whichever lasts longer.
///  - Any other kernel: its bytes at the triad's bandwidth.
///  - Eager: while the device works, the next kernels are launched; a step lasts as long as all kernels, or as all
///    launches where that is longer. Graph: no kernel is shorter than an empty one of a graph.
///  - `low_ns` and `high_ns`: with every time at its low and its high.
std::optional<StepPrediction> predict_step(const TracedWorkload& workload, WorkloadPrecision precision,
                                           const ComputeTypes& types, const OperationTimes& times, LaunchMode mode);

/// What a device is predicted to do of one workload.
struct WorkloadPrediction {
  const TracedWorkload* workload = nullptr;
  WorkloadPrecision precision = WorkloadPrecision::full;
  ComputeTypes types;                  ///< what the operations were measured in
  std::optional<StepPrediction> step;  ///< empty where too little was measured

  /// Images, sequences, tokens or steps in a second of which `step_ns` is one step.
  [[nodiscard]] double samples_per_s(double step_ns) const {
    return static_cast<double>(workload->samples) * 1e9 / step_ns;
  }
};

/// Every workload, first in full precision, then in mixed. Training runs eagerly, inference as a graph. A device that
/// was not measured in 16 bits, or has none that are fast, has its full prediction in the place of the mixed one; one
/// whose tf32 was not measured runs in fp32.
std::vector<WorkloadPrediction> predict_workloads(const std::vector<TracedWorkload>& workloads, const Device& device,
                                                  const std::vector<Measurement>& measurements);

}  // namespace gpuassay
