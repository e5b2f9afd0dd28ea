// Which operations of the workloads are worth measuring? Pure.
#pragma once

#include <vector>

#include "core/predict.h"
#include "core/workload.h"

namespace gpuassay {

/// An operation that a device can run by itself.
struct ReplayOperation {
  OperationParams params;
  /// Shares of the workloads' FLOPs that it stands for, added up over them: 1.5 is one workload and half of another.
  double share = 0;
};

/// The distinct products and convolutions of `workloads`; the one with the largest share first, equal ones in the
/// order of the workloads.
std::vector<ReplayOperation> replay_operations(const std::vector<TracedWorkload>& workloads,
                                               WorkloadPrecision precision, const ComputeTypes& types);

}  // namespace gpuassay
