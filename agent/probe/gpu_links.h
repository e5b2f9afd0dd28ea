// What lies between two GPUs: NVLinks, or what of PCIe? As NVML tells.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/dynlib/nvml.h"
#include "core/model.h"

namespace gpuassay {

/// NVML's answers about one pair, in its own numbers: nothing here is checked.
struct LinkSight {
  int device = 0, peer = 0;                         ///< positions among the devices asked about, device < peer
  std::optional<int> nvlinks;                       ///< as counted, both ways the same
  std::optional<int> topology;                      ///< nvml::TopologyLevel
  std::optional<int> read, write;                   ///< nvml::P2pStatus
  std::map<std::string, std::string> reasons = {};  ///< why something above is empty: "nvlinks", "pcie", "peer_access"
};

/// Asks an opened NVML about every pair of the devices at these PCI addresses. A link counts where the other end is the
/// peer, or where both have links to NVSwitches: the fewer of theirs. Links to anything else lead elsewhere.
std::vector<LinkSight> look_at_links(const nvml::Api& api, const std::vector<std::string>& pci_bus_ids);

/// For the result document: numbers that NVML does not define are unknown. At most one entry of `unknown` for each
/// field.
std::vector<DeviceLink> links_of(const std::vector<LinkSight>& sights, std::vector<Unknown>& unknown);

}  // namespace gpuassay
