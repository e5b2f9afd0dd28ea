#include "core/compare.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/score.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr int kRatioDigits = 6;
constexpr double kEqualWeight = 1.0 / kWorkloadClasses;

double six_digits(double figure) { return round_significant(figure, kRatioDigits); }

bool is_positive(const std::optional<double>& figure) { return figure && *figure > 0 && std::isfinite(*figure); }

/// "2 x Tesla T4, Tesla V100": each name once, in the order of the devices.
std::string machine_name(const std::vector<Device>& devices) {
  std::vector<std::string> names;
  std::map<std::string, int> counts;
  for (const Device& device : devices) {
    if (++counts[device.name] == 1) names.push_back(device.name);
  }
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    if (counts[name] > 1) text += std::to_string(counts[name]) + " x ";
    text += name;
  }
  return text.empty() ? "no device" : text;
}

std::string why_unscored(const Result& stored, const Score& score) {
  if (stored.devices.empty()) return "no device was measured";
  for (const Measurement& each : stored.measurements) {
    if (each.status == CaseStatus::wrong_result)
      return (each.device ? "device " + std::to_string(*each.device) : "the instance") + " computed wrong results";
  }
  std::vector<std::string> missing;
  for (const WorkloadScore& each : score.workloads) {
    if (!each.samples_per_s && (missing.empty() || missing.back() != each.name)) missing.push_back(each.name);
  }
  if (missing.empty()) return "its figures are out of range";
  std::string reason = "too little was measured to predict " + missing.front();
  if (missing.size() > 1) reason += " and " + std::to_string(missing.size() - 1) + " more";
  return reason;
}

ByClass classes_of(const Score& score) {
  return {score.classes.train.value_or(0), score.classes.prefill.value_or(0), score.classes.decode.value_or(0)};
}

/// The row of a workload in a precision. Where both precisions are the same there is one; else the mixed one is last.
const WorkloadScore* find_row(const Score& score, const std::string& name, WorkloadPrecision precision) {
  const WorkloadScore* row = nullptr;
  for (const WorkloadScore& each : score.workloads) {
    if (each.name != name) continue;
    if (precision == WorkloadPrecision::full) return &each;
    row = &each;
  }
  return row;
}

/// With logarithms L of the class ratios, weight w for the class and (1 - w) / 2 for each other, the comparison is even
/// when w * L + (1 - w) * M = 0, where M is the mean of the others' logarithms: w = M / (M - L).
std::vector<EvenWeight> even_weights(const ByClass& ratios) {
  std::vector<EvenWeight> even;
  double sum = 0;
  for (const double ratio : ratios) sum += std::log(ratio);
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    const double own = std::log(ratios[i]);
    const double others = (sum - own) / static_cast<double>(kWorkloadClasses - 1);
    // Not above zero only where rounding made the index of the slower one the lower by a digit.
    if (own >= 0 || others <= 0) continue;
    even.push_back({static_cast<WorkloadClass>(i), six_digits(std::max(others / (others - own), kEqualWeight))});
  }
  std::stable_sort(even.begin(), even.end(), [](const auto& a, const auto& b) { return a.weight < b.weight; });
  return even;
}

std::optional<double> dollar_ratio(const ComparedRun& faster, const ComparedRun& slower) {
  if (!is_positive(faster.score_per_usd_hour) || !is_positive(slower.score_per_usd_hour)) return std::nullopt;
  return six_digits(*faster.score_per_usd_hour / *slower.score_per_usd_hour);
}

ComparedPair pair_of(const std::vector<ComparedRun>& runs, std::size_t first, std::size_t second) {
  ComparedPair pair;
  pair.faster = *runs[first].score.value >= *runs[second].score.value ? first : second;
  pair.slower = pair.faster == first ? second : first;
  const ComparedRun& faster = runs[pair.faster];
  const ComparedRun& slower = runs[pair.slower];
  pair.value_ratio = *faster.score.value / *slower.score.value;
  const ByClass above = classes_of(faster.score);
  const ByClass below = classes_of(slower.score);
  for (std::size_t i = 0; i < kWorkloadClasses; ++i) pair.class_ratios[i] = above[i] / below[i];
  const auto [least, most] = std::minmax_element(pair.class_ratios.begin(), pair.class_ratios.end());
  pair.same = pair.value_ratio == 1 && *least == 1 && *most == 1;
  pair.robust = *least >= 1 && *most > 1;
  if (!pair.robust && pair.value_ratio > 1) pair.even_when = even_weights(pair.class_ratios);
  const auto range_above = index_range(faster.score);
  const auto range_below = index_range(slower.score);
  pair.certain = range_above && range_below && range_above->low > range_below->high;
  pair.per_usd_hour_ratio = dollar_ratio(faster, slower);
  pair.value_ratio = six_digits(pair.value_ratio);
  for (double& ratio : pair.class_ratios) ratio = six_digits(ratio);
  return pair;
}

/// Names of all workloads of all results, in the order first seen.
std::vector<std::pair<std::string, WorkloadClass>> workload_names(const std::vector<ComparedRun>& runs) {
  std::vector<std::pair<std::string, WorkloadClass>> names;
  for (const ComparedRun& run : runs) {
    for (const WorkloadScore& each : run.score.workloads) {
      const std::pair<std::string, WorkloadClass> name{each.name, each.workload_class};
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

ComparedWorkload workload_row(const std::vector<ComparedRun>& runs, std::optional<std::size_t> best, std::string name,
                              WorkloadClass workload_class, WorkloadPrecision precision) {
  ComparedWorkload row{std::move(name), workload_class, precision, {}, {}, {}};
  for (const ComparedRun& run : runs) {
    const WorkloadScore* const found = find_row(run.score, row.name, precision);
    row.dtypes.push_back(found != nullptr ? std::optional(found->precision) : std::nullopt);
    row.samples_per_s.push_back(found != nullptr && is_positive(found->samples_per_s) ? found->samples_per_s
                                                                                      : std::nullopt);
  }
  for (const auto& figure : row.samples_per_s) {
    const bool known = figure && best && row.samples_per_s[*best];
    row.ratios.push_back(known ? std::optional(six_digits(*figure / *row.samples_per_s[*best])) : std::nullopt);
  }
  return row;
}

}  // namespace

ComparedRun compared_run(const Result& stored, const Score& score) {
  ComparedRun run;
  run.run_id = stored.run_id;
  run.machine = machine_name(stored.devices);
  run.simulated = stored.simulated;
  run.stored_version = stored.score.version;
  run.score = score;
  if (!is_positive(score.value)) {
    run.score.value = std::nullopt;
    run.unscored_reason = why_unscored(stored, score);
  }
  run.price_instance_hour_usd = stored.price.price_instance_hour_usd;
  run.score_per_usd_hour = score_per_usd_hour(run.score, run.price_instance_hour_usd);
  return run;
}

std::optional<IndexRange> index_range(const Score& score) {
  if (!score.value) return std::nullopt;
  // By class: logarithms of low and of high over the figure itself, and how many.
  std::map<WorkloadClass, std::array<double, 3>> sums;
  for (const WorkloadScore* const workload : mixed_workloads(score)) {
    const WorkloadScore& each = *workload;
    if (!is_positive(each.samples_per_s) || !is_positive(each.low) || !is_positive(each.high)) return std::nullopt;
    auto& [low, high, count] = sums[each.workload_class];
    low += std::log(*each.low / *each.samples_per_s);
    high += std::log(*each.high / *each.samples_per_s);
    count += 1;
  }
  IndexRange range;
  for (const auto& [workload_class, sum] : sums) {
    range.low += kEqualWeight * sum[0] / sum[2];
    range.high += kEqualWeight * sum[1] / sum[2];
  }
  return IndexRange{six_digits(*score.value * std::exp(range.low)), six_digits(*score.value * std::exp(range.high))};
}

Comparison compare_runs(const std::vector<ComparedRun>& runs) {
  Comparison comparison;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].score.value) continue;
    if (!comparison.best || *runs[i].score.value > *runs[*comparison.best].score.value) comparison.best = i;
    for (std::size_t j = i + 1; j < runs.size(); ++j) {
      if (runs[j].score.value) comparison.pairs.push_back(pair_of(runs, i, j));
    }
  }
  for (const auto& [name, workload_class] : workload_names(runs)) {
    for (const WorkloadPrecision precision : {WorkloadPrecision::full, WorkloadPrecision::mixed})
      comparison.workloads.push_back(workload_row(runs, comparison.best, name, workload_class, precision));
  }
  return comparison;
}

}  // namespace gpuassay
