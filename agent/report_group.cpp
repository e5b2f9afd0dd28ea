#include "agent/report_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/report_figures.h"
#include "core/enums.h"
#include "core/operations.h"

namespace gpuassay {

void add_rank_line(TextPage& page, const Result& result) {
  if (result.nodes.empty()) return;
  struct Range {
    double lowest = 0, highest = 0;
    int slowest_rank = 0;
    std::string unit;
  };
  std::map<std::string, Range> ranges;
  std::size_t ranks = 0;
  for (const Node& node : result.nodes) {
    for (const NodeRank& rank : node.ranks) {
      ++ranks;
      for (const auto& [id, metric] : rank.figures) {
        const std::string name = id.substr(0, id.find('/'));
        const auto [place, is_new] = ranges.emplace(name, Range{metric.value, metric.value, rank.rank, metric.unit});
        Range& range = place->second;
        if (metric.value < range.lowest) range.slowest_rank = rank.rank;
        range.lowest = std::min(range.lowest, metric.value);
        range.highest = std::max(range.highest, metric.value);
      }
    }
  }
  std::vector<std::string> words{
      fmt::format("{} on {} machine{}", ranks, result.nodes.size(), result.nodes.size() == 1 ? "" : "s")};
  for (const auto& [name, range] : ranges)
    words.push_back(fmt::format("{} {} to {} {} (rank {} lowest)", name, short_number(range.lowest),
                                short_number(range.highest), range.unit, range.slowest_rank));
  page.line("ranks", words);
}

void add_collective_lines(TextPage& page, const Result& result) {
  const DeviceSummary& instance = result.summary.instance;
  std::vector<std::string> bandwidths, notes;
  std::int64_t ranks = 0;
  for (const auto& [kind, name] : EnumNames<CollectiveKind>::values) {
    const auto busbw = figure_of(instance.collective_busbw_gb_per_s, name);
    if (!busbw) continue;
    for (const Measurement& m : result.measurements) {
      if (const auto* collective = std::get_if<CollectiveParams>(&m.params)) ranks = collective->ranks;
    }
    if (ranks == 0) continue;
    bandwidths.push_back(fmt::format("{} {}", name, short_number(*busbw)));
    if (kind == CollectiveKind::all_reduce)
      notes.push_back(fmt::format("busbw of {} GPUs; all_reduce algbw {}", ranks,
                                  short_number(*busbw / busbw_factor(kind, ranks))));
  }
  std::set<std::string> names;
  for (const Device& device : result.devices) names.insert(device.name);
  if (names.size() > 1) notes.emplace_back("different GPUs: the slowest sets the pace");
  add_figure_line(page, "collective", bandwidths, "GB/s", notes, std::nullopt);
  std::vector<std::string> latencies;
  for (const std::string mode : {"plain", "graph"}) {
    const std::string key = "all_reduce_" + mode;
    const auto p50 = figure_of(instance.collective_latency_us, key);
    const auto p99 = figure_of(instance.collective_latency_us, key + "_p99");
    if (p50) latencies.push_back(fmt::format("{} {}", mode, short_number(*p50)));
    if (p50 && p99) latencies.back() += fmt::format(" p99 {}", short_number(*p99));
  }
  add_figure_line(page, "all-reduce", latencies, "us", {"latency of 16 KiB"}, std::nullopt);
}

}  // namespace gpuassay
