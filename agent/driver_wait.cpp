#include "agent/driver_wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>
#include <utility>

#include "agent/probe/pci_bus.h"
#include "agent/system_root.h"

namespace gpuassay {
namespace {

constexpr std::array<std::string_view, 4> kPassing{"no_cuda_device", "fabric_not_ready", "driver_missing",
                                                   "driver_unknown_error"};
constexpr std::chrono::milliseconds kPause{2'000};

}  // namespace

bool may_become_ready(const Machine& machine, bool gpu_on_pci_bus) {
  return gpu_on_pci_bus && machine.driver_problem &&
         std::count(kPassing.begin(), kPassing.end(), machine.driver_problem->code) > 0;
}

Machine look_when_ready(const WaitWorld& world, double limit_s, const std::function<void()>& tell) {
  Machine machine = world.look();
  const double end_s = world.now_s() + limit_s - std::chrono::duration<double>(kPause).count();
  bool is_told = false;
  while (may_become_ready(machine, world.gpu_on_pci_bus()) && world.now_s() <= end_s) {
    if (!std::exchange(is_told, true)) tell();
    world.sleep(kPause);
    machine = world.look();
  }
  return machine;
}

Machine look_while_booting(const Environment& environment, const DeviceChoice& choice, double look_limit_s,
                           Progress& progress) {
  WaitWorld world;
  world.look = [&] { return look_at_machine(environment, choice, look_limit_s); };
  world.gpu_on_pci_bus = [root = SystemRoot(environment.system_root)] { return nvidia_gpu_on_pci_bus(root); };
  world.now_s = monotonic_s;
  world.sleep = [](std::chrono::milliseconds pause) { std::this_thread::sleep_for(pause); };
  return look_when_ready(world, kDriverWaitS, [&progress] {
    progress.say(fmt::format("waiting for the NVIDIA driver, at most {:.0f} s", kDriverWaitS));
  });
}

}  // namespace gpuassay
