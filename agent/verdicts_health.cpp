#include "agent/verdicts_health.h"

#include <fmt/format.h>

#include <algorithm>

namespace gpuassay {
namespace {

/// New errors; a counter that fell was reset meanwhile and says nothing.
std::int64_t grown(const std::optional<std::int64_t>& before, const std::optional<std::int64_t>& after) {
  return before && after ? std::max<std::int64_t>(0, *after - *before) : 0;
}

void judge_ecc(const Device& device, std::vector<Verdict>& verdicts) {
  const DeviceHealth& health = *device.health;
  const std::int64_t corrected = grown(health.ecc_corrected_before, health.ecc_corrected_after);
  const std::int64_t uncorrected = grown(health.ecc_uncorrected_before, health.ecc_uncorrected_after);
  if (corrected + uncorrected == 0) return;
  verdicts.push_back({"ecc_errors", device.index,
                      fmt::format("GPU {} counted memory errors while it was measured: {} corrected, {} uncorrectable",
                                  device.index, corrected, uncorrected),
                      uncorrected > 0 ? "its memory is failing: report it and take another machine"
                                      : "run again; if the count grows each time, report it to the provider"});
}

void judge_xids(const Device& device, std::vector<Verdict>& verdicts) {
  if (!device.health->xids || device.health->xids->empty()) return;
  verdicts.push_back({"xid_errors", device.index,
                      fmt::format("the driver logged Xid {} about GPU {} during the run",
                                  fmt::join(*device.health->xids, ", "), device.index),
                      "NVIDIA's list of Xid errors says what each means; report it to the provider with this file"});
}

void judge_memory(const Result& result, const Device& device, std::vector<Verdict>& verdicts) {
  for (const Measurement& m : result.measurements) {
    const auto* bandwidth = std::get_if<BandwidthParams>(&m.params);
    if (m.device != device.index || bandwidth == nullptr || bandwidth->kernel != BandwidthKernel::readback ||
        m.status != CaseStatus::wrong_result)
      continue;
    constexpr double kGib = 1024.0 * 1024.0 * 1024.0;
    verdicts.push_back(
        {"memory_missing", device.index,
         fmt::format("GPU {} does not read back what was written to {:.1f} GiB of its memory", device.index,
                     static_cast<double>(bandwidth->array_bytes) / kGib),
         "it has less memory than it says, or broken memory: do not use it, and report it with this file"});
    return;
  }
}

}  // namespace

void judge_health(const Result& result, std::vector<Verdict>& verdicts) {
  for (const Device& device : result.devices) {
    judge_memory(result, device, verdicts);
    if (!device.health) continue;
    judge_ecc(device, verdicts);
    judge_xids(device, verdicts);
  }
}

}  // namespace gpuassay
