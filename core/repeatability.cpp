#include "core/repeatability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "core/headlines.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr int kRepeatDigits = 6;

template <class ValueOf>
void add_series(std::vector<HeadlineSeries>& all, const std::vector<const Result*>& runs, std::string path,
                const ValueOf& value_of) {
  HeadlineSeries series{std::move(path), {}};
  for (const Result* const run : runs) {
    const std::optional<double> value = value_of(*run);
    if (!value || !(*value > 0)) return;
    series.values.push_back(*value);
  }
  all.push_back(std::move(series));
}

/// Twice the mean rank of every value among all of them: whole numbers.
std::vector<std::size_t> doubled_ranks(const std::vector<double>& values) {
  std::vector<std::size_t> ranks;
  ranks.reserve(values.size());
  for (const double value : values) {
    const auto below = std::count_if(values.begin(), values.end(), [&](double each) { return each < value; });
    const auto equal = std::count(values.begin(), values.end(), value);
    ranks.push_back(static_cast<std::size_t>(2 * below + equal + 1));
  }
  return ranks;
}

/// ways[s]: how many choices of `chosen` of the ranks have the sum s.
std::vector<double> ways_to_sum(const std::vector<std::size_t>& ranks, std::size_t chosen) {
  const std::size_t most = std::accumulate(ranks.begin(), ranks.end(), std::size_t{0});
  std::vector<std::vector<double>> ways(chosen + 1, std::vector<double>(most + 1, 0));
  ways[0][0] = 1;
  for (const std::size_t rank : ranks) {
    for (std::size_t count = chosen; count > 0; --count) {
      for (std::size_t sum = most; sum >= rank; --sum) ways[count][sum] += ways[count - 1][sum - rank];
    }
  }
  return ways[chosen];
}

std::string machine_key(const Result& run) {
  std::string key = fmt::format("{}|{}|{}|{}|{}|{}", run.agent.profile, run.simulated, run.host.cpu_model.value_or(""),
                                run.host.logical_cpus.value_or(0), run.host.memory_bytes.value_or(0),
                                run.platform.instance_id_hash.value_or(""));
  for (const Device& device : run.devices) key += fmt::format("|{}|{}", device.name, device.uuid_hash.value_or(""));
  return key;
}

bool can_be_decided(std::size_t first, std::size_t second) {
  std::vector<double> apart(first + second);
  std::iota(apart.begin(), apart.end(), 0);
  const auto middle = apart.begin() + static_cast<std::ptrdiff_t>(first);
  return rank_sum_p({apart.begin(), middle}, {middle, apart.end()}) <= kNoiseP;
}

}  // namespace

std::vector<HeadlineSeries> headline_series(const std::vector<const Result*>& runs) {
  std::vector<HeadlineSeries> all;
  if (runs.empty()) return all;
  add_series(all, runs, "score.value", [](const Result& run) { return run.score.value; });
  for (const std::string& path : instance_headline_paths()) {
    add_series(all, runs, path, [&](const Result& run) { return instance_headline(run.summary.instance, path); });
  }
  return all;
}

double relative_range(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return round_significant((*most - *least) / median(values), kRepeatDigits);
}

double rank_sum_p(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  const std::vector<std::size_t> ranks = doubled_ranks(all);
  const auto own = static_cast<double>(
      std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(a.size()), std::size_t{0}));
  // Under one distribution: half of n (n + m + 1), here doubled.
  const double expected = static_cast<double>(a.size()) * static_cast<double>(all.size() + 1);
  const std::vector<double> ways = ways_to_sum(ranks, a.size());
  double as_far = 0;
  double total = 0;
  for (std::size_t sum = 0; sum < ways.size(); ++sum) {
    total += ways[sum];
    if (std::abs(static_cast<double>(sum) - expected) >= std::abs(own - expected)) as_far += ways[sum];
  }
  return as_far / total;
}

std::vector<HeadlineDifference> headline_differences(const std::vector<const Result*>& first,
                                                     const std::vector<const Result*>& second) {
  std::vector<HeadlineDifference> differences;
  if (first.empty() || second.empty()) return differences;
  const bool decidable = can_be_decided(first.size(), second.size());
  const std::vector<HeadlineSeries> others = headline_series(second);
  for (const HeadlineSeries& series : headline_series(first)) {
    const auto other = std::find_if(others.begin(), others.end(), [&](const auto& o) { return o.path == series.path; });
    if (other == others.end()) continue;
    HeadlineDifference difference;
    difference.path = series.path;
    difference.ratio = round_significant(median(other->values) / median(series.values), kRepeatDigits);
    difference.p = round_significant(rank_sum_p(series.values, other->values), kRepeatDigits);
    difference.larger_than_noise = difference.p <= kNoiseP;
    difference.decidable = decidable;
    differences.push_back(std::move(difference));
  }
  return differences;
}

std::vector<std::vector<std::size_t>> runs_by_machine(const std::vector<const Result*>& runs) {
  std::vector<std::string> keys;
  std::set<std::string> seen;
  std::vector<std::vector<std::size_t>> machines;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!seen.insert(runs[i]->run_id).second) continue;
    const std::string key = machine_key(*runs[i]);
    const auto known = std::find(keys.begin(), keys.end(), key);
    if (known == keys.end()) {
      keys.push_back(key);
      machines.push_back({i});
    } else {
      machines[static_cast<std::size_t>(known - keys.begin())].push_back(i);
    }
  }
  return machines;
}

}  // namespace gpuassay
