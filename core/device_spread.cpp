#include "core/device_spread.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/enums.h"
#include "core/headlines.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr int kSpreadDigits = 4;

/// One figure of every device with its device; empty when any lacks it.
std::vector<std::pair<double, int>> figures_of_all(const std::vector<DeviceSummary>& devices, const HeadlineKind& kind,
                                                   const std::string& key, Regime regime) {
  std::vector<std::pair<double, int>> figures;
  figures.reserve(devices.size());
  for (const DeviceSummary& device : devices) {
    const auto found = (device.*kind.figures).find(key);
    if (found == (device.*kind.figures).end() || !device.device) return {};
    const std::optional<double> value = regime == Regime::burst ? found->second.burst : found->second.sustained;
    if (!value) return {};
    figures.emplace_back(*value, *device.device);
  }
  return figures;
}

}  // namespace

std::vector<DeviceSpread> device_spreads(const std::vector<DeviceSummary>& devices) {
  std::vector<DeviceSpread> spreads;
  if (devices.size() < 2) return spreads;
  for (const HeadlineKind& kind : headline_kinds()) {
    for (const std::string& key : kind.keys) {
      for (const auto& [regime, name] : EnumNames<Regime>::values) {
        const auto figures = figures_of_all(devices, kind, key, regime);
        if (figures.empty()) continue;
        std::vector<double> values;
        values.reserve(figures.size());
        for (const auto& [value, device] : figures) values.push_back(value);
        const auto [lowest, highest] = std::minmax_element(figures.begin(), figures.end());
        const bool lower_is_better = kind.figures == &DeviceSummary::latency_us;
        const double middle = median(values);
        spreads.push_back({fmt::format("{}.{}.{}", kind.name, key, name), lowest->first, middle, highest->first,
                           middle > 0 ? round_significant((highest->first - lowest->first) / middle, kSpreadDigits) : 0,
                           lower_is_better ? highest->second : lowest->second});
      }
    }
  }
  return spreads;
}

}  // namespace gpuassay
