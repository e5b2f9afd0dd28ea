// Where does a score stand among those of the same GPU, and what is said while there are too few? Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collector/aggregates.h"

namespace gpuassay {

/// With fewer machines than this a percentile is noise.
inline constexpr std::size_t kFewMachines = 20;

/// The score, of this program's version, that `gpu_count` cards of a model are expected to have going by their
/// datasheet (core/expected_score.h). Of a model with several cards the first one of the table; empty for a model that
/// is not in it. Worked out once for all models, when first asked.
std::optional<double> specification_estimate(std::string_view gpu_model, std::int64_t gpu_count);

/// How machines of one model are assumed to spread about what is expected of them while too few were measured: the
/// standard deviation of their scores over the expectation. Boards of one kind differ by a few per cent in clock and
/// cooling, hosts by a few more; to be replaced by what the dataset shows.
inline constexpr double kAssumedSpread = 0.08;

/// The answer of /v1/percentile as JSON. `population` has one run of each machine, its median; `runs` are all. With
/// fewer than kFewMachines and a known card, `shrunk` is true: `median` is the expected score, (machines * their median
/// + kFewMachines * estimate) / (machines + kFewMachines), and p10, p90 and `percentile` are those of a normal
/// distribution about it with kAssumedSpread. There is no estimate of another version of the score than this program's.
std::string percentile_json(const Aggregates& aggregates, const std::string& gpu_model, std::int64_t gpu_count,
                            const std::string& score_version, double score);

}  // namespace gpuassay
