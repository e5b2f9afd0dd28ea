// How does a score compare with other runs of the same model? What is asked of the collector, and what its answer,
// which is not to be trusted, becomes for people. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/model.h"

namespace gpuassay {

struct PercentileQuestion {
  std::string gpu_model;
  std::int64_t gpu_count = 0;
  std::string score_version;
  double score = 0;
};

/// Empty when there is nothing to compare: no score, no GPU, several models, or GPUs of unknown model.
std::optional<PercentileQuestion> percentile_question(const Result& result);

/// "/v1/percentile?gpu_model=...": to be put behind the collector's URL.
std::string percentile_target(const PercentileQuestion& question);

/// Fewer runs than this say less than the specification does.
inline constexpr std::int64_t kFewRuns = 20;

struct PercentileAnswer {
  std::int64_t population = 0;  ///< runs of this model and count in `days`, this one included
  std::int64_t days = 0;
  std::optional<double> percentile;              ///< share of them with a lower score, 0 to 1
  std::optional<double> median, p10, p90;        ///< scores
  std::optional<double> specification_estimate;  ///< the score that the model's specification lets expect
  bool shrunk = false;                           ///< few runs: the figures are the estimate, drawn towards them
};

/// Reads the collector's JSON. Throws Error{unreadable_input} when it is not the answer to `question`, a field is
/// missing or of another type, or a number is outside what it can be.
PercentileAnswer parse_percentile(std::string_view json, const PercentileQuestion& question);

/// One line: "slower than 82 % of 412 runs of this model, 90 days". Made of our words and numbers alone.
std::string percentile_line(const PercentileAnswer& answer);

}  // namespace gpuassay
