// Which NVIDIA GPUs does the PCI bus show, whether or not any driver can use them?
#pragma once

#include <string>
#include <vector>

#include "agent/system_root.h"

namespace gpuassay {

/// PCI ids of all NVIDIA display and 3D controllers, e.g. "10de:1db6" (Tesla V100), one per device in bus order;
/// "10de:????" for a device that does not tell its id. Empty as well when /sys/bus/pci is not there.
std::vector<std::string> nvidia_pci_devices(const SystemRoot& root);

/// Whether nvidia_pci_devices names any. If so and CUDA cannot use it, the CPU must not be scored in its place.
bool nvidia_gpu_on_pci_bus(const SystemRoot& root);

}  // namespace gpuassay
