// Right after boot the GPU may be there before its driver is. How long is it waited for?
#pragma once

#include <chrono>
#include <functional>

#include "agent/inventory.h"
#include "agent/progress.h"

namespace gpuassay {

/// Whether the driver's problem is one that passes while a machine boots: device files that are not made yet, a fabric
/// that is being set up, a driver that is being installed. Only where the PCI bus shows an NVIDIA GPU.
bool may_become_ready(const Machine& machine, bool gpu_on_pci_bus);

/// The world as look_when_ready() sees it, so that tests can give another one.
struct WaitWorld {
  std::function<Machine()> look;
  std::function<bool()> gpu_on_pci_bus;
  std::function<double()> now_s;  ///< monotonic
  std::function<void(std::chrono::milliseconds)> sleep;
};

/// Looks until there is nothing more to wait for, or `limit_s` after the first look; the last look is the answer.
/// `tell` is called once, when it begins to wait.
Machine look_when_ready(const WaitWorld& world, double limit_s, const std::function<void()>& tell);

/// Nobody may be there to start an unattended run again when the driver is late.
inline constexpr double kDriverWaitS = 60;

/// look_at_machine(), again and again for kDriverWaitS. Call while there is one thread.
Machine look_while_booting(const Environment& environment, const DeviceChoice& choice, double look_limit_s,
                           Progress& progress);

}  // namespace gpuassay
