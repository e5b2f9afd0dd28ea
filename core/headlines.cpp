#include "core/headlines.h"

#include "core/enums.h"

namespace gpuassay {
namespace {

template <class E>
std::vector<std::string> names_of_all() {
  std::vector<std::string> names;
  names.reserve(EnumNames<E>::values.size());
  for (const auto& [unused, name] : EnumNames<E>::values) names.emplace_back(name);
  return names;
}

/// Main memory by kernel, copies between host and device also from pageable memory, caches by level.
std::vector<std::string> bandwidth_keys() {
  std::vector<std::string> keys = names_of_all<BandwidthKernel>();
  for (const BandwidthKernel copy : {BandwidthKernel::h2d, BandwidthKernel::d2h, BandwidthKernel::bidirectional})
    keys.push_back(std::string(to_name(copy)) + "_pageable");
  for (const MemoryLevel cache : {MemoryLevel::l1, MemoryLevel::l2, MemoryLevel::l3}) keys.emplace_back(to_name(cache));
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
  };
  return kKinds;
}

std::optional<double> headline(const DeviceSummary& summary, std::string_view kind, const std::string& key,
                               Regime regime) {
  for (const HeadlineKind& each : headline_kinds()) {
    if (each.name != kind) continue;
    const auto found = (summary.*each.figures).find(key);
    if (found == (summary.*each.figures).end()) return std::nullopt;
    return regime == Regime::burst ? found->second.burst : found->second.sustained;
  }
  return std::nullopt;
}

}  // namespace gpuassay
