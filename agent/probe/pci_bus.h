// Which NVIDIA GPUs does the PCI bus show, whether or not any driver can use them, and where are they?
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/system_root.h"

namespace gpuassay {

/// PCI ids of all NVIDIA display and 3D controllers, e.g. "10de:1db6" (Tesla V100), one per device in bus order;
/// "10de:????" for a device that does not tell its id. Empty as well when /sys/bus/pci is not there.
std::vector<std::string> nvidia_pci_devices(const SystemRoot& root);

/// Whether nvidia_pci_devices names any. If so and CUDA cannot use it, the CPU must not be scored in its place.
bool nvidia_gpu_on_pci_bus(const SystemRoot& root);

/// "0000:3b:00.0" as the kernel names a device, of "00000000:3B:00.0" as well; empty for what is no PCI address.
std::optional<std::string> pci_address(std::string_view written);

/// A NUMA node, or why it is unknown.
struct NumaFinding {
  std::optional<int> node;
  std::string reason;
};

/// The node that the device at this address is near, as the kernel tells.
NumaFinding numa_node_of(const SystemRoot& root, std::string_view pci_bus_id);

}  // namespace gpuassay
