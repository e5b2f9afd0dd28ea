#include "core/headlines.h"

#include <fmt/format.h>

#include "core/enums.h"

namespace gpuassay {
namespace {

constexpr std::string_view kInstance = "summary.instance.";

template <class E>
std::vector<std::string> names_of_all() {
  std::vector<std::string> names;
  names.reserve(EnumNames<E>::values.size());
  for (const auto& [unused, name] : EnumNames<E>::values) names.emplace_back(name);
  return names;
}

/// Main memory by kernel, copies between host and device also from pageable memory, between peers by engine, caches by
/// level.
std::vector<std::string> bandwidth_keys() {
  std::vector<std::string> keys;
  for (const auto& [kernel, name] : EnumNames<BandwidthKernel>::values) {
    if (!is_peer_copy(kernel)) keys.emplace_back(name);
  }
  for (const MemoryLevel engine : {MemoryLevel::ce, MemoryLevel::sm}) {
    for (const auto& [kernel, name] : EnumNames<BandwidthKernel>::values) {
      if (is_peer_copy(kernel)) keys.push_back(fmt::format("{}_{}", name, to_name(engine)));
    }
  }
  for (const BandwidthKernel copy : {BandwidthKernel::h2d, BandwidthKernel::d2h, BandwidthKernel::bidirectional})
    keys.push_back(std::string(to_name(copy)) + "_pageable");
  for (const MemoryLevel cache : {MemoryLevel::l1, MemoryLevel::l2, MemoryLevel::l3}) keys.emplace_back(to_name(cache));
  return keys;
}

/// Latencies of an all-reduce: the median and the 99th percentile, of plain calls and of calls in graphs.
std::vector<std::string> collective_latency_keys() {
  std::vector<std::string> keys;
  for (const CollectiveMode mode : {CollectiveMode::plain, CollectiveMode::graph}) {
    const std::string key = fmt::format("{}_{}", to_name(CollectiveKind::all_reduce), to_name(mode));
    keys.insert(keys.end(), {key, key + "_p99"});
  }
  return keys;
}

}  // namespace

const std::vector<HeadlineKind>& headline_kinds() {
  static const std::vector<HeadlineKind> kKinds{
      {"gemm_tflop_per_s", &DeviceSummary::gemm_tflop_per_s, names_of_all<DType>()},
      {"conv_tflop_per_s", &DeviceSummary::conv_tflop_per_s, names_of_all<DType>()},
      {"compute_tflop_per_s", &DeviceSummary::compute_tflop_per_s, names_of_all<DType>()},
      {"bandwidth_gb_per_s", &DeviceSummary::bandwidth_gb_per_s, bandwidth_keys()},
      {"latency_us", &DeviceSummary::latency_us, names_of_all<LatencyKind>()},
      {"host_gb_per_s",
       &DeviceSummary::host_gb_per_s,
       {"memory", "disk_write", "disk_read", "disk_to_device", "network"},
       true},
      {"host_tflop_per_s", &DeviceSummary::host_tflop_per_s, {"fma", "gemm"}, true},
      {"host_latency_us", &DeviceSummary::host_latency_us, {"connect"}, true},
      {"collective_busbw_gb_per_s", &DeviceSummary::collective_busbw_gb_per_s, names_of_all<CollectiveKind>(), true},
      {"collective_latency_us", &DeviceSummary::collective_latency_us, collective_latency_keys(), true},
  };
  return kKinds;
}

const std::vector<std::string>& instance_headline_paths() {
  static const std::vector<std::string> kPaths = [] {
    std::vector<std::string> paths;
    for (const HeadlineKind& kind : headline_kinds()) {
      for (const std::string& key : kind.keys) {
        for (const auto& [regime, name] : EnumNames<Regime>::values) {
          if (regime == Regime::burst || !kind.of_instance_only)
            paths.push_back(fmt::format("{}{}.{}.{}", kInstance, kind.name, key, name));
        }
      }
    }
    return paths;
  }();
  return kPaths;
}

std::optional<double> instance_headline(const DeviceSummary& instance, std::string_view path) {
  path.remove_prefix(kInstance.size());
  const std::size_t first = path.find('.');
  const std::size_t last = path.rfind('.');
  const std::string key(path.substr(first + 1, last - first - 1));
  for (const HeadlineKind& each : headline_kinds()) {
    if (each.name != path.substr(0, first)) continue;
    const auto found = (instance.*each.figures).find(key);
    if (found == (instance.*each.figures).end()) return std::nullopt;
    return from_name<Regime>(path.substr(last + 1)) == Regime::burst ? found->second.burst : found->second.sustained;
  }
  return std::nullopt;
}

}  // namespace gpuassay
