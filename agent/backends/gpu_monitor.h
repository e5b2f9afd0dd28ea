// What does the GPU do while a case runs? Asks NVML again and again from a thread of its own and sums up.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/backends/backend.h"
#include "agent/dynlib/nvml.h"
#include "core/model.h"

namespace gpuassay {

/// One reading; empty where NVML does not tell.
struct GpuReading {
  double at_s = 0;  ///< since the first reading
  std::optional<double> sm_clock_mhz, memory_clock_mhz, power_w, temperature_c;
  std::optional<std::uint64_t> event_reasons;  ///< nvml::ClocksEventReason bits
  std::optional<int> pcie_generation = {}, pcie_width = {};
  std::optional<double> energy_j = {};  ///< since the driver was loaded
};

/// Sums readings up: medians of clocks and power, lowest SM clock, highest temperature and link, and for each event
/// reason the time between readings that showed it. Idle readings (bit kReasonGpuIdle) before the load arrives do not
/// count for clocks. Energy is the counter's last less its first reading. Empty when there are none.
std::optional<GpuTelemetry> summarize_readings(const std::vector<GpuReading>& readings);

/// NVML in the measuring process, on one device.
class NvmlDevice {
 public:
  /// Opens NVML at `candidate` and finds the device. Throws Error{library_missing, library_failed}.
  NvmlDevice(const LibraryCandidate& candidate, const std::string& pci_bus_id);
  [[nodiscard]] GpuReading read() const;
  [[nodiscard]] std::optional<double> temperature_c() const;

 private:
  nvml::LoadedLibrary library_;
  nvml::Device device_ = nullptr;
};

/// Reads from construction until stop(), at least twice. The device must outlive it.
class GpuMonitor final : public LoadMonitor {
 public:
  explicit GpuMonitor(const NvmlDevice& device);
  ~GpuMonitor() override;

  [[nodiscard]] std::optional<double> temperature_c() const override;
  /// Ends the thread. Once.
  std::optional<GpuTelemetry> stop() override;

 private:
  void watch();

  const NvmlDevice& device_;
  std::vector<GpuReading> readings_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace gpuassay
