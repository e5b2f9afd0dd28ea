#include "collector/percentile.h"

#include <cmath>
#include <map>
#include <numbers>

#include <nlohmann/json.hpp>

#include "core/expected_score.h"
#include "core/gpu_specs.h"
#include "core/score.h"
#include "core/stats.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

using nlohmann::json;

constexpr int kDigits = 6;

/// Of every model, by the first of its cards that can be estimated: a few milliseconds for all.
std::map<std::string, double, std::less<>> expected_by_model() {
  std::map<std::string, double, std::less<>> expected;
  for (const GpuSpec& spec : gpu_specs()) {
    if (expected.contains(spec.model)) continue;
    if (const auto index = expected_index(spec)) expected.emplace(spec.model, *index);
  }
  return expected;
}

json rounded(std::optional<double> value) { return value ? json(round_significant(*value, kDigits)) : json(nullptr); }

struct Standing {
  std::optional<double> percentile, p10, median, p90;
};

/// What the few machines and the datasheet together let expect.
Standing estimated_standing(const GpuAggregate* gpu, double estimate, double score) {
  constexpr auto kWeight = static_cast<double>(kFewMachines);
  constexpr double kTenthOfNormal = 1.2816;  // standard deviations between median and 90 %
  const double machines = gpu == nullptr ? 0 : static_cast<double>(gpu->score.machines);
  const double measured = gpu == nullptr ? 0 : gpu->score.p50;
  const double expected = (machines * measured + kWeight * estimate) / (machines + kWeight);
  const double deviation = kAssumedSpread * expected;
  const double share = std::erfc(-(score - expected) / (deviation * std::numbers::sqrt2)) / 2;
  return {share, expected - kTenthOfNormal * deviation, expected, expected + kTenthOfNormal * deviation};
}

}  // namespace

std::optional<double> specification_estimate(std::string_view gpu_model, std::int64_t gpu_count) {
  static const auto kExpected = expected_by_model();
  const auto found = kExpected.find(gpu_model);
  if (found == kExpected.end()) return std::nullopt;
  return static_cast<double>(gpu_count) * found->second;
}

std::string percentile_json(const Aggregates& aggregates, const std::string& gpu_model, std::int64_t gpu_count,
                            const std::string& score_version, double score) {
  const GpuAggregate* const gpu = find_gpu(aggregates, gpu_model, gpu_count, score_version);
  const auto estimate =
      score_version == kScoreVersion ? specification_estimate(gpu_model, gpu_count) : std::optional<double>();
  const std::size_t machines = gpu == nullptr ? 0 : gpu->score.machines;
  const bool shrunk = machines < kFewMachines && estimate;
  Standing standing;
  if (shrunk) {
    standing = estimated_standing(gpu, *estimate, score);
  } else if (gpu != nullptr) {
    standing = {percentile_of(*gpu, score), gpu->score.p10, gpu->score.p50, gpu->score.p90};
  }
  const json document{{"as_of", format_rfc3339_ms(aggregates.as_of_ms)},
                      {"gpu_model", gpu_model},
                      {"gpu_count", gpu_count},
                      {"score_version", score_version},
                      {"days", kAggregateDays},
                      {"population", machines},
                      {"runs", gpu == nullptr ? 0 : gpu->score.runs},
                      {"percentile", rounded(standing.percentile)},
                      {"p10", rounded(standing.p10)},
                      {"median", rounded(standing.median)},
                      {"p90", rounded(standing.p90)},
                      {"specification_estimate", rounded(estimate)},
                      {"shrunk", shrunk}};
  return document.dump();
}

}  // namespace gpuassay
