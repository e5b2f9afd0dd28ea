// Did a GPU break while it was measured? NVML's error counters before and after.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/nvml.h"

namespace gpuassay {

/// What only a broken device changes. Empty where NVML does not tell.
struct GpuHealth {
  bool lost = false;  ///< fallen off the bus: NVML answers "GPU is lost" (15)
  /// Uncorrectable memory errors since the driver was loaded, and since the board was made.
  std::optional<std::int64_t> volatile_errors, aggregate_errors;
  std::optional<std::int64_t> corrected_errors = {};  ///< since the driver was loaded
};

/// Asks an opened NVML.
GpuHealth read_health(const nvml::Api& api, const std::string& pci_bus_id);

/// The same in a child process, for the devices at these PCI addresses; one entry each. Empty when NVML does not answer
/// within `limit`.
std::vector<GpuHealth> look_at_health(const LibraryCandidate& nvml, const std::vector<std::string>& pci_bus_ids,
                                      std::chrono::milliseconds limit);

/// What broke in between, in words; empty when nothing did, as far as is known.
std::optional<std::string> fault_between(const GpuHealth& before, const GpuHealth& after);

}  // namespace gpuassay
