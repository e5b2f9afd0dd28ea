// What do samples per second make of the Assay Index? The arithmetic alone, for measured and for estimated ones. Pure.
// docs/SCORE.md states the formula.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/model.h"
#include "core/workload.h"

namespace gpuassay {

/// 100 times the geometric mean of each class, and that of the three; empty where one of a class is. Not rounded.
struct AssayIndex {
  ClassScores classes;
  std::optional<double> value;
};

/// `mixed`: name, class and samples per second of the workloads of the score in mixed precision; several devices' added
/// up.
AssayIndex assay_index(const std::vector<WorkloadScore>& mixed);

/// Samples per second over those of the reference card in this precision; empty where one of both is unknown.
std::optional<double> over_reference(const WorkloadScore& workload, WorkloadPrecision precision);

}  // namespace gpuassay
