#include "agent/run_to_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/stats.h"

namespace gpuassay {
namespace {

/// Without what all paths have: "score", "gemm_tflop_per_s.fp16", "triad.sustained".
std::string short_path(std::string_view path) {
  constexpr std::string_view kInstance = "summary.instance.", kBurst = ".burst", kScore = "score.value";
  if (path == kScore) return "score";
  if (path.starts_with(kInstance)) path.remove_prefix(kInstance.size());
  if (path.ends_with(kBurst)) path.remove_suffix(kBurst.size());
  return std::string(path);
}

}  // namespace

void add_spread(TextPage& page, std::string_view label, const std::vector<HeadlineSeries>& series) {
  std::vector<std::string> words;
  words.reserve(series.size());
  for (const HeadlineSeries& each : series)
    words.push_back(fmt::format("{} {:.1f} %", short_path(each.path), 100 * relative_range(each.values)));
  page.line(label, words.empty() ? std::vector<std::string>{"no figure that all of them have"} : words);
}

nlohmann::json spread_json(const std::vector<HeadlineSeries>& series) {
  nlohmann::json list = nlohmann::json::array();
  for (const HeadlineSeries& each : series) {
    list.push_back({{"path", each.path},
                    {"values", each.values},
                    {"median", median(each.values)},
                    {"relative_range", relative_range(each.values)}});
  }
  return list;
}

void add_differences(TextPage& page, std::string_view label, const std::vector<HeadlineDifference>& differences) {
  if (differences.empty()) {
    page.prose(label, "no figure that all of them have");
    return;
  }
  if (std::none_of(differences.begin(), differences.end(), [](const auto& each) { return each.decidable; })) {
    page.prose(
        label,
        "too few runs to tell a difference from noise: four of each machine, or three and five, or two and eight");
    return;
  }
  std::vector<std::string> words;
  for (const HeadlineDifference& each : differences) {
    if (each.larger_than_noise)
      words.push_back(fmt::format("{} x{:.4g} (p {:.2g})", short_path(each.path), each.ratio, each.p));
  }
  const std::size_t alike = differences.size() - words.size();
  words.push_back(fmt::format("{} of {} figures within noise", alike, differences.size()));
  page.line(label, words);
}

nlohmann::json differences_json(const std::vector<HeadlineDifference>& differences) {
  nlohmann::json list = nlohmann::json::array();
  for (const HeadlineDifference& each : differences) {
    list.push_back({{"path", each.path},
                    {"ratio", each.ratio},
                    {"p", each.p},
                    {"larger_than_noise", each.larger_than_noise},
                    {"decidable", each.decidable}});
  }
  return list;
}

}  // namespace gpuassay
