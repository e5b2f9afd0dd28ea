// How long does a step of a network take on a device? From what is known of its operations there and the network's
// trace. Pure, and of additions, multiplications, divisions and comparisons alone. docs/SCORE.md states the formula.
#pragma once

#include <optional>
#include <vector>

#include "core/device_times.h"
#include "core/framework_costs.h"
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

/// A GPU's multiprocessors and their highest clock; 0 where unknown, and for CPUs.
struct Multiprocessors {
  std::int64_t count = 0;
  double clocks_per_ns = 0;
};
Multiprocessors multiprocessors_of(const Device& device);

/// Nanoseconds of one step, and what they are made of.
struct StepPrediction {
  double operations_ns = 0;  ///< products and convolutions
  double attention_ns = 0;
  double traffic_ns = 0;  ///< all other kernels
  double pauses_ns = 0;   ///< before every kernel
  double step_ns = 0;     ///< the sum
  double low_ns = 0, high_ns = 0;
  /// Of `step_ns`, where it trains: what backward takes, during which gradients can be exchanged (core/gradients.h).
  /// Products, convolutions and attention that compute gradients, and half of the other kernels outside the
  /// optimizer's step, of which no trace says where they belong: rather too little.
  double backward_ns = 0;
  double covered_share = 0;  ///< share of the products' and convolutions' FLOPs that was measured in these very shapes
};

/// A step as a CUDA graph runs it, or a framework that keeps the device busy: what the host takes to launch kernels one
/// by one is a property of the host and of the framework, and not in it. Empty where the triad, or all operations of a
/// kind and type that the workload has, are unknown.
///  - A product or a convolution: DeviceTimes::of, times costs.product_* by its smaller side, times costs.convolution.
///  - Attention: its FLOPs at the share of the best products' rate that costs say, or its bytes at the triad's
///    bandwidth less what costs say, whichever lasts longer. In 32 bits every head has at least costs.attention_rows
///    queries, and heads that are too few for all multiprocessors leave the others idle.
///  - Any other kernel: its bytes at the triad's bandwidth and its elements at the multiprocessors' clock, as costs say
///    of its kind.
///  - Kernels of the last two kinds begin with what the shortest kernel takes, and before each kernel is a pause, where
///    an empty kernel's time is known.
///  - `low_ns` and `high_ns`: with every time at its low and its high, and beyond by costs.spread.
std::optional<StepPrediction> predict_step(const TracedWorkload& workload, WorkloadPrecision precision,
                                           const ComputeTypes& types, const DeviceTimes& times,
                                           const Multiprocessors& multiprocessors, const FrameworkCosts& costs);

/// What a device is predicted to do of one workload.
struct WorkloadPrediction {
  const TracedWorkload* workload = nullptr;
  WorkloadPrecision precision = WorkloadPrecision::full;
  ComputeTypes types;                  ///< what the operations were measured in
  std::optional<StepPrediction> step;  ///< empty where too little was measured

  /// The precision whose trace it is of: full also where that stands in the place of the mixed one.
  [[nodiscard]] WorkloadPrecision traced() const {
    return types.half == types.fp32 ? WorkloadPrecision::full : precision;
  }
  /// Images, sequences, tokens or steps in a second of which `step_ns` is one step.
  [[nodiscard]] double samples_per_s(double step_ns) const {
    return static_cast<double>(workload->samples) * 1e9 / step_ns;
  }
};

/// Every workload, first in full precision, then in mixed. A device whose 16 bits are unknown, or not fast, has its
/// full prediction in the place of the mixed one; one whose tf32 is unknown runs in fp32.
std::vector<WorkloadPrediction> predict_workloads(const std::vector<TracedWorkload>& workloads, const Device& device,
                                                  const DeviceTimes& times);

}  // namespace gpuassay
