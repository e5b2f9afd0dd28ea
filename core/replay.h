// Which operations of the workloads are worth measuring? Pure.
#pragma once

#include <vector>

#include "core/predict.h"
#include "core/workload.h"

namespace gpuassay {

/// An operation that a device can run by itself.
struct ReplayOperation {
  OperationParams params;
  /// Shares of the workloads' time in products and convolutions that it stands for, added up over them: 1.5 is one
  /// workload and half of another.
  double share = 0;
};

/// The distinct products and convolutions of `workloads`; the one with the largest share first, equal ones in the
/// order of the workloads. Their time is taken for what their FLOPs or their bytes last on a device that does
/// `flops_per_byte` FLOPs while it moves a byte, whichever is longer.
std::vector<ReplayOperation> replay_operations(const std::vector<TracedWorkload>& workloads,
                                               WorkloadPrecision precision, const ComputeTypes& types,
                                               double flops_per_byte);

/// The first `count` of `operations`, and before them the first `each` products and convolutions of every type: what
/// is not measured is estimated from others of its kind and type, which takes some of each.
std::vector<ReplayOperation> most_telling(const std::vector<ReplayOperation>& operations, std::size_t count,
                                          std::size_t each);

}  // namespace gpuassay
