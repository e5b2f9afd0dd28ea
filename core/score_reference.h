// What the reference cards do: the denominators of the Assay Index, of core/data/score_reference.csv. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/workload.h"

namespace gpuassay {

/// The Assay Index of this card is 100.
inline constexpr std::string_view kReferenceGpu = "A100-SXM4-80GB";
/// Vast.ai's DLPerf of 2022 gave this card 21.
inline constexpr std::string_view kDlperfGpu = "V100-SXM2-16GB";

/// One row: samples per second of a workload. `source` says where the figure comes from, "estimated" first where nobody
/// has measured it.
struct ScoreReference {
  std::string gpu, workload;
  WorkloadPrecision precision = WorkloadPrecision::full;
  double samples_per_s = 0;
  std::string source;
};

/// Reads a table with these columns. Throws Error{unreadable_input} naming the line.
std::vector<ScoreReference> parse_score_references(std::string_view csv);

/// The embedded table, read once.
const std::vector<ScoreReference>& score_references();

/// Empty where the table has no such row.
std::optional<double> reference_samples_per_s(std::string_view gpu, std::string_view workload,
                                              WorkloadPrecision precision);

}  // namespace gpuassay
