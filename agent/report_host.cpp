#include "agent/report_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "agent/report_figures.h"
#include "core/host_figures.h"

namespace gpuassay {
namespace {

using HostWords = std::vector<std::string>;
using HostFigures = std::map<std::string, RegimeValues>;

void add_word(HostWords& words, std::string_view label, const HostFigures& figures, const std::string& name,
              std::string_view unit) {
  if (const auto figure = host_figure(figures, name))
    words.push_back(fmt::format("{} {} {}", label, short_number(*figure), unit));
}

/// "0.4 s", "11 s", "3 min".
std::string time_text(double seconds) {
  constexpr double kLongS = 100, kMinuteS = 60;
  if (seconds < kLongS)
    return fmt::format("{} s", seconds < 10 ? short_number(seconds) : fmt::format("{:.0f}", seconds));
  return fmt::format("{:.0f} min", seconds / kMinuteS);
}

void add_line_of(TextPage& page, std::string_view label, const HostWords& words) {
  if (!words.empty()) page.line(label, words);
}

}  // namespace

void add_host_lines(TextPage& page, const Result& result) {
  constexpr double kModelBytes = 16e9, kUsPerMs = 1e3;
  const DeviceSummary& instance = result.summary.instance;
  const bool cpu_is_device = std::any_of(result.devices.begin(), result.devices.end(),
                                         [](const Device& device) { return device.kind == DeviceKind::cpu; });
  HostWords host, disk, network;
  if (!cpu_is_device) {
    add_word(host, "memory", instance.host_gb_per_s, "memory", "GB/s");
    add_word(host, "CPU", instance.host_tflop_per_s, "fma", "TFLOP/s");
    add_word(host, "CPU gemm", instance.host_tflop_per_s, "gemm", "TFLOP/s");
  }
  add_line_of(page, "host", host);
  add_word(disk, "write", instance.host_gb_per_s, "disk_write", "GB/s");
  add_word(disk, "read", instance.host_gb_per_s, "disk_read", "GB/s");
  add_word(disk, "to GPU", instance.host_gb_per_s, "disk_to_device", "GB/s");
  if (const auto seconds = load_s(instance, kModelBytes))
    disk.push_back(fmt::format("(a 16 GB model loads in {})", time_text(*seconds)));
  add_line_of(page, "disk", disk);
  add_word(network, "download", instance.host_gb_per_s, "network", "GB/s");
  if (const auto connect_us = host_figure(instance.host_latency_us, "connect"))
    network.push_back(fmt::format("connect {} ms", short_number(*connect_us / kUsPerMs)));
  add_line_of(page, "network", network);
}

}  // namespace gpuassay
