#include "agent/verdicts_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "agent/report_figures.h"
#include "core/host_figures.h"

namespace gpuassay {
namespace {

/// Slower than one hard disk; cloud providers' smallest network disks read 0.1 to 0.15 GB/s.
constexpr double kLeastDiskGbPerS = 0.1;

/// What the fastest link of a GPU takes from the host's memory, in GB/s.
std::optional<double> fastest_link(const Result& result) {
  std::optional<double> fastest;
  for (const DeviceSummary& device : result.summary.devices) {
    const auto link = host_figure(device.bandwidth_gb_per_s, "h2d");
    if (link) fastest = std::max(fastest.value_or(*link), *link);
  }
  return fastest;
}

}  // namespace

void judge_host(const Result& result, std::vector<Verdict>& verdicts) {
  const bool real_gpu = std::any_of(result.devices.begin(), result.devices.end(), [](const Device& device) {
    return device.kind == DeviceKind::cuda && !device.simulated;
  });
  if (!real_gpu) return;
  const DeviceSummary& instance = result.summary.instance;
  const auto disk = host_figure(instance.host_gb_per_s, "disk_read");
  if (disk && *disk < kLeastDiskGbPerS) {
    verdicts.push_back({"slow_disk", std::nullopt,
                        fmt::format("the disk reads {} GB/s: a model of 16 GB takes {:.0f} s, and GPUs wait for data",
                                    short_number(*disk), 16 / *disk),
                        "keep models and data on a local disk or in memory, or rent one with a faster disk"});
  }
  const auto memory = host_figure(instance.host_gb_per_s, "memory");
  const auto link = fastest_link(result);
  if (memory && link && *memory < *link) {
    verdicts.push_back({"slow_host", std::nullopt,
                        fmt::format("the host's memory gives {} GB/s, less than the {} GB/s that one GPU's link takes",
                                    short_number(*memory), short_number(*link)),
                        "see whether CPUs are few or shared (contended); with more CPUs it may be faster"});
  }
}

}  // namespace gpuassay
