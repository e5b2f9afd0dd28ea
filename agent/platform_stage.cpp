#include "agent/platform_stage.h"

#include <cstdio>
#include <utility>

#include <unistd.h>

namespace gpuassay {
namespace {

/// The asking process has this one's stderr; each line is one write, as several questions may be asked at once.
MetadataLog verbose_log(const Environment& environment) {
  if (environment.verbosity != Verbosity::verbose) return {};
  return [start = environment.err_style.live ? "\r\033[K" : ""](const std::string& line) {
    (void)dprintf(STDERR_FILENO, "%sgpuassay: %s\n", start, line.c_str());
  };
}

}  // namespace

PlatformStage::PlatformStage(const Environment& environment, const PlatformFlags& flags, MetadataUse use,
                             IdentifierHash hash, std::chrono::seconds network_wait)
    : detection_({SystemRoot(environment.system_root), environment.platform_variables, environment.metadata_map, flags,
                  environment.simulated(), use, network_wait, verbose_log(environment)}),
      hash_(std::move(hash)) {}

void PlatformStage::put(Platform& platform, std::vector<Unknown>& unknown) const {
  set_platform(detection_.facts(), detection_.layers(), hash_, platform, unknown);
}

void PlatformStage::put_into(Inventory& inventory) {
  complete_ = detection_.wait_until(std::chrono::steady_clock::now());
  put(inventory.platform, inventory.unknown);
}

void PlatformStage::wait_and_put_into(Inventory& inventory) {
  detection_.wait(std::chrono::steady_clock::time_point::max());
  complete_ = true;
  put(inventory.platform, inventory.unknown);
}

bool PlatformStage::complete(Result& begun, std::chrono::steady_clock::time_point deadline, int stop_fd) {
  if (std::exchange(complete_, true)) return false;
  detection_.wait(deadline, stop_fd);
  put(begun.platform, begun.unknown);
  return true;
}

}  // namespace gpuassay
