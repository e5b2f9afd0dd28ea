// What would a GPU do of the workloads, going by its datasheet alone? Pure. docs/ESTIMATE.md has the formulas and how
// far off they are.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/enums.h"
#include "core/gpu_specs.h"
#include "core/specified_times.h"
#include "core/workload.h"

namespace gpuassay {

/// `best`: the faster of both, workload by workload.
enum class EstimatePrecision { fp32, mixed, best };

/// One workload on one device. `low` and `high` are samples per second too.
struct WorkloadEstimate {
  std::string name;
  WorkloadClass workload_class = WorkloadClass::train;
  std::string unit;  ///< of samples
  WorkloadPrecision precision = WorkloadPrecision::full;
  DType dtype = DType::fp32;  ///< of its operations: mixed precision is fp32 where 16 bits are not faster
  double samples_per_s = 0, low = 0, high = 0;
  bool fits = true;  ///< the memory of the device holds what the trace says it needs, and half a GB for CUDA
};

/// The workloads that every card is measured by, in their order. Throws Error{internal} for a row without what
/// estimates need (the fp32 peak and the bandwidth), or of a whole board.
std::vector<WorkloadEstimate> estimate_workloads(const GpuSpec& spec, EstimatePrecision precision,
                                                 const EstimateEfficiencies& efficiencies = estimate_efficiencies());

template <>
struct EnumNames<EstimatePrecision> {
  static constexpr std::array<std::pair<EstimatePrecision, std::string_view>, 3> values{
      {{EstimatePrecision::fp32, "fp32"}, {EstimatePrecision::mixed, "mixed"}, {EstimatePrecision::best, "best"}}};
};

}  // namespace gpuassay
