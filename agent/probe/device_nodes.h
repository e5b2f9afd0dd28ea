// Are the device files of the NVIDIA driver there, and may this user open them? Without them libcuda finds no GPU.
#pragma once

#include <string>
#include <vector>

#include "agent/system_root.h"

namespace gpuassay {

/// The device files below /dev.
struct DeviceNodes {
  std::vector<std::string> found;     ///< "/dev/nvidia0", ..., "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/dxg" (WSL)
  std::vector<std::string> unusable;  ///< those of `found` that cannot be opened, each with the reason behind a colon
};

/// How sure an answer is wanted.
enum class NodeTest {
  /// Opens each for reading and writing: the only test that sees a container's device rules.
  open,
  /// Asks for permissions only: opening waits for a driver that hangs.
  permissions,
};

DeviceNodes look_at_device_nodes(const SystemRoot& root, NodeTest test);

}  // namespace gpuassay
