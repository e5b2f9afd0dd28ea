#include "agent/inventory.h"

#include <fmt/format.h>

#include "agent/dynlib/onednn.h"
#include "agent/probe.h"
#include "agent/probe/pci_bus.h"
#include "core/error.h"

namespace gpuassay {

Inventory take_inventory(const Environment& environment) {
  Inventory inventory = probe(probe_inputs(environment.system_root));
  // Recorded facts describe another machine; what is pinned and executed follows the one that really measures.
  if (environment.simulated()) inventory.cpu = probe(probe_inputs()).cpu;
  inventory.libraries = onednn::describe(LibrarySearch::from_environment());
  return inventory;
}

void require_measurable(const Inventory& inventory, const std::string& device, const Environment& environment) {
  const auto gpus = nvidia_pci_devices(SystemRoot(environment.system_root));
  if (device == "auto" && !gpus.empty()) {
    throw Error(ErrorCode::nothing_measurable,
                fmt::format("the PCI bus shows an NVIDIA GPU ({}), which this version cannot measure; "
                            "to measure the CPU instead, use --device cpu",
                            gpus.front()));
  }
  for (const Library& library : inventory.libraries) {
    if (library.name == "onednn" && library.rejected_reason) {
      throw Error(ErrorCode::nothing_measurable, *library.rejected_reason);
    }
  }
}

}  // namespace gpuassay
