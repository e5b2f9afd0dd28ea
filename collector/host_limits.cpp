#include "collector/host_limits.h"

#include <fmt/format.h>

#include <optional>

namespace gpuassay {
namespace {

/// Eight NVMe disks of PCIe 5.0 read 110 GB/s together, by many threads; one file of one folder and one thread do not.
constexpr double kMostDiskGbPerS = 100;
constexpr double kMostNetworkGbPerS = 100;  // 800 Gb/s
/// As of a CPU that is a device (device_limits.cpp), main memory alone.
constexpr double kMostMemoryGbPerS = 5'000;
constexpr double kMostCpuTflopPerS = 2'000;
/// Light goes 300 m in a microsecond, and a connection needs the kernel twice.
constexpr double kLeastConnectUs = 1;

std::optional<double> most_of(const Measurement& m) {
  if (std::holds_alternative<DiskParams>(m.params)) return kMostDiskGbPerS;
  if (std::holds_alternative<NetworkParams>(m.params)) return kMostNetworkGbPerS;
  if (m.device) return std::nullopt;
  if (std::holds_alternative<BandwidthParams>(m.params)) return kMostMemoryGbPerS;
  if (m.metric->unit == "TFLOP/s") return kMostCpuTflopPerS;
  return std::nullopt;
}

}  // namespace

void check_host(const Measurement& measurement, std::vector<std::string>& reasons) {
  if (!measurement.metric) return;
  const Metric& metric = *measurement.metric;
  const auto* const network = std::get_if<NetworkParams>(&measurement.params);
  const bool is_connection = network != nullptr && network->kind == NetworkKind::connect;
  const auto most = most_of(measurement);
  const bool possible = is_connection ? metric.value >= kLeastConnectUs : !most || metric.value <= *most;
  if (!possible)
    reasons.push_back(fmt::format("beyond_physics: {} {} of {}", metric.value, metric.unit, measurement.id));
}

}  // namespace gpuassay
