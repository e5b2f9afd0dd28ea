// How fast, warm and busy is one imitated GPU? A modelled clock in nanoseconds, and what load does to it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "tests/support/fake_gpu/setup.h"

namespace gpuassay::fake {

/// Parts of a device that work at the same time; operations of one part wait for each other.
enum class Engine { compute, host_to_device, device_to_host };

/// Work of one operation, as far as its duration goes.
struct Work {
  double operations = 0;
  Precision precision = Precision::fp32;
  double bytes = 0;         ///< moved through device memory
  bool in_l2 = false;       ///< the bytes stay in L2
  double efficiency = 0.9;  ///< of the peak, for operations
};

class Device {
 public:
  Device(int ordinal, const GpuProfile& profile, const Setup& setup);

  [[nodiscard]] int ordinal() const { return ordinal_; }
  [[nodiscard]] const GpuProfile& profile() const { return profile_; }
  /// PCI bus number; 0000:BUS:00.0 is its address.
  [[nodiscard]] int pci_bus() const { return 0x10 + ordinal_; }
  [[nodiscard]] std::array<unsigned char, 16> uuid() const;

  /// How long `work` takes, in ns, at the present clock and with a little noise that is the same in every run.
  [[nodiscard]] double duration_ns(const Work& work);
  /// How long a copy over PCIe takes.
  [[nodiscard]] double transfer_ns(double bytes, bool pinned);
  /// Cycles a multiprocessor has counted up to a moment; asked for in order of time.
  [[nodiscard]] std::uint64_t cycles_at(double time_ns);
  /// The device was busy that long: it warms up.
  void add_busy_ns(double busy_ns);

  // what NVML shows, in NVML's units
  [[nodiscard]] unsigned power_mw();
  [[nodiscard]] unsigned power_limit_mw() const;
  [[nodiscard]] unsigned temperature_c();
  [[nodiscard]] unsigned sm_clock_mhz();
  [[nodiscard]] unsigned memory_clock_mhz() const;
  [[nodiscard]] std::uint64_t event_reasons();
  [[nodiscard]] double energy_mj();
  [[nodiscard]] double busy_ns() const { return busy_ns_; }
  [[nodiscard]] bool loaded() { return load() > 0.05; }

  /// Modelled time at which each engine is free again.
  double& engine_ready_ns(Engine engine) { return engine_ready_ns_.at(static_cast<std::size_t>(engine)); }

  std::uint64_t allocated_bytes = 0;
  std::uint64_t operations = 0;  ///< submitted so far
  int sticky_error = 0;          ///< a driver status that every later call returns
  int context_uses = 0;

 private:
  /// Share of the recent time in which it computed; falls off in real time when nothing runs.
  double load();
  [[nodiscard]] double clock_factor() const;
  [[nodiscard]] double noise();
  [[nodiscard]] double taken_by_neighbour() const;
  [[nodiscard]] double slow_factor() const;
  [[nodiscard]] bool throttled() const;

  int ordinal_;
  GpuProfile profile_;
  double slow_factor_ = 1, throttle_factor_ = 0, power_cap_ = 0;  ///< 0: no such fault
  double neighbour_factor_ = 1;                                   ///< 1: none
  double throttle_after_ns_ = 0;
  std::chrono::system_clock::time_point slow_from_ = {};
  std::array<double, 3> engine_ready_ns_{};
  double load_ = 0, warmth_ = 0, busy_ns_ = 0, energy_mj_ = 0;
  std::chrono::steady_clock::time_point load_at_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point energy_at_ = load_at_;
  std::uint64_t noise_counter_ = 0;
  double cycles_ = 0, cycles_at_ns_ = 0;
};

}  // namespace gpuassay::fake
