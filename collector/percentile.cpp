#include "collector/percentile.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <nlohmann/json.hpp>

#include "core/gpu_peaks.h"
#include "core/gpu_specs.h"
#include "core/stats.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

using nlohmann::json;

constexpr double kA100Fp16TflopPerS = 312;
constexpr double kA100GbPerS = 2039;
constexpr int kDigits = 6;

std::optional<double> training_peak(const GpuSpec& spec) {
  const TheoreticalPeak peak = theoretical_peak(spec);
  constexpr int kTensorCores = 70;  // compute capability 7.0, as core/score.h has it
  const DType dtype =
      capability_number(spec.compute_capability).value_or(0) >= kTensorCores ? DType::fp16 : DType::fp32;
  const auto found = peak.tflop_per_s.find(dtype);
  return found == peak.tflop_per_s.end() ? std::nullopt : std::optional(found->second);
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

std::optional<double> specification_estimate(const std::string& gpu_model, std::int64_t gpu_count) {
  const auto& specs = gpu_specs();
  const auto found = std::find_if(specs.begin(), specs.end(), [&](const GpuSpec& spec) {
    return spec.model == gpu_model && !spec.is_board && spec.bandwidth_gb_per_s && training_peak(spec);
  });
  if (found == specs.end()) return std::nullopt;
  constexpr double kScoreOfA100 = 100;
  const double compute = *training_peak(*found) / kA100Fp16TflopPerS;
  const double memory = *found->bandwidth_gb_per_s / kA100GbPerS;
  return kScoreOfA100 * static_cast<double>(gpu_count) * std::sqrt(compute * memory);
}

std::string percentile_json(const Aggregates& aggregates, const std::string& gpu_model, std::int64_t gpu_count,
                            const std::string& score_version, double score) {
  const GpuAggregate* const gpu = find_gpu(aggregates, gpu_model, gpu_count, score_version);
  const auto estimate = specification_estimate(gpu_model, gpu_count);
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
