#include "agent/report_peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/report_figures.h"
#include "core/enums.h"
#include "core/link_path.h"

namespace gpuassay {
namespace {

constexpr const char* kUnknownPath = "path unknown";

std::string path_between(const Result& result, int one, int other) {
  for (const DeviceLink& link : result.links) {
    if (std::minmax(one, other) == std::minmax(link.device, link.peer)) return link_path(link).value_or(kUnknownPath);
  }
  return kUnknownPath;
}

/// "NUMA node 0: GPUs 0 1 2 3", by node; empty where the kernel tells none.
std::vector<std::string> numa_words(const Result& result) {
  std::map<int, std::string> nodes;
  for (const Device& device : result.devices) {
    if (device.numa_node) nodes[*device.numa_node] += fmt::format(" {}", device.index);
  }
  std::vector<std::string> words;
  words.reserve(nodes.size());
  for (const auto& [node, devices] : nodes) words.push_back(fmt::format("NUMA node {}: GPUs{}", node, devices));
  return words;
}

/// "4 pairs NV12  2 pairs SYS", the most frequent path first.
void add_link_line(TextPage& page, const Result& result) {
  if (result.links.empty()) return;
  std::map<std::string, int> pairs;
  for (const DeviceLink& link : result.links) ++pairs[link_path(link).value_or(kUnknownPath)];
  std::vector<std::pair<std::string, int>> sorted(pairs.begin(), pairs.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> words;
  words.reserve(sorted.size());
  for (const auto& [path, count] : sorted)
    words.push_back(fmt::format("{} pair{} {}", count, count == 1 ? "" : "s", path));
  for (std::string& word : numa_words(result)) words.push_back(std::move(word));
  page.line("links", words);
}

}  // namespace

void add_peer_lines(TextPage& page, const Result& result) {
  struct Extremes {
    const Measurement *slowest = nullptr, *fastest = nullptr;
  };
  add_link_line(page, result);
  std::map<std::string, Extremes> kinds;
  for (const Measurement& m : result.measurements) {
    const auto* copy = std::get_if<BandwidthParams>(&m.params);
    if (copy == nullptr || !copy->peer || !m.metric) continue;
    auto& [slowest, fastest] = kinds[fmt::format("{} {}", to_name(copy->level), to_name(copy->kernel).substr(4))];
    if (slowest == nullptr || m.metric->value < slowest->metric->value) slowest = &m;
    if (fastest == nullptr || m.metric->value > fastest->metric->value) fastest = &m;
  }
  std::string_view label = "peers";
  for (const auto& [name, pair] : kinds) {
    const Measurement& slowest = *pair.slowest;
    const int from = slowest.device.value_or(0);
    const int to = std::get<BandwidthParams>(slowest.params).peer.value_or(0);
    page.line(std::exchange(label, ""),
              {fmt::format("{} {} to {} GB/s", name, short_number(slowest.metric->value),
                           short_number(pair.fastest->metric->value)),
               fmt::format("(slowest: {} and {}, {}, {})", from, to, path_between(result, from, to),
                           printable(slowest.algorithm.value_or("")))});
  }
}

}  // namespace gpuassay
