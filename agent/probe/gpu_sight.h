// What do the driver and NVML say about each GPU? Plain values, as told: nothing here is checked or fit to be
// published.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/probe/gpu_health.h"
#include "agent/probe/gpu_links.h"
#include "core/model.h"

namespace gpuassay {

struct GpuSight {
  // of the CUDA driver
  int ordinal = 0;
  std::string name, pci_bus_id;
  int compute_capability = 0;  ///< 10 x major + minor
  int sm_count = 0;
  std::int64_t memory_bytes = 0;
  std::optional<std::string> uuid;
  std::optional<std::int64_t> l2_bytes;
  std::optional<double> memory_bus_bits;
  // of NVML, or of the driver where both know it
  std::optional<std::int64_t> free_bytes;
  std::optional<std::string> driver_version, vbios, virtualization;
  std::optional<std::string> pci_device_id;  ///< "10de:1db1"
  std::optional<double> power_limit_w, default_power_limit_w, max_sm_clock_mhz, max_memory_clock_mhz;
  std::optional<int> pcie_generation, pcie_width, pcie_max_generation, pcie_max_width;
  std::optional<bool> ecc, mig;
  GpuHealth health;
  std::string nvml_problem;  ///< why NVML told nothing of this device; empty when it did
  /// Why a field above is empty, by its name.
  std::map<std::string, std::string> reasons;
};

/// All devices of one driver.
struct GpuSights {
  int cuda_version = 0;  ///< of cuDriverGetVersion: 1000 x major + 10 x minor
  bool simulated = false;
  std::string nvml_problem;        ///< why NVML told nothing of any device; empty when it works
  std::size_t nvml_candidate = 0;  ///< which of the candidates told; not part of the text
  std::vector<GpuSight> gpus;
  std::vector<LinkSight> links = {};  ///< of every pair; empty where NVML could not be asked
};

/// As it travels from the child process to its parent.
std::string to_text(const GpuSights& sights);
/// Throws Error{unreadable_input} for anything that is not what to_text made.
GpuSights sights_from_text(std::string_view text);

/// The device for the result document: names cleaned, model and peaks looked up, one entry of `unknown` per null.
/// `uuid_hash` is left to the caller, who has the key.
Device device_of(const GpuSights& sights, std::size_t position, std::vector<Unknown>& unknown);

/// What lies between the devices, for the result document; where NVML could not be asked every field is null.
std::vector<DeviceLink> links_between(const GpuSights& sights, std::vector<Unknown>& unknown);

/// "570.86.15" as NVML tells it, else "CUDA 12.8" of the driver.
std::optional<std::string> driver_version_text(const GpuSights& sights, const GpuSight& gpu);

}  // namespace gpuassay
