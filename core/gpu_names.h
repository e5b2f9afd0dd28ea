// Which GPU is this? From what the driver says to a row of the table of GPUs and to the canonical model name. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/gpu_specs.h"
#include "core/model.h"

namespace gpuassay {

/// What the driver says about one device. Only the name is needed; everything else that is known tells rows of one name
/// apart (12 and 24 GB, old and new cards of one name) and guards against a name that belongs to another card.
struct GpuIdentity {
  std::string name;  ///< as cuDeviceGetName or NVML gives it
  std::optional<std::int64_t> memory_bytes = {};
  std::optional<int> sm_count = {};
  std::optional<std::string> compute_capability = {};  ///< "7.0"
  std::optional<std::string> pci_device_id = {};       ///< "10de:1db1": vendor and device
};

/// What became of it. With a `spec`, it is the one row that fits. Without one, `model` is still there when every row
/// of that name agrees on it, and `reason` says in one line why there is no row.
struct GpuMatch {
  const GpuSpec* spec = nullptr;  ///< into gpu_specs()
  std::optional<std::string> model, variant;
  std::optional<std::string> mig;   ///< MIG profile, "1g.5gb"
  std::optional<std::string> vgpu;  ///< vGPU type, "V100D-8C"
  std::string reason;               ///< empty with a spec
};

/// Old and new spellings are one name: "NVIDIA " and "Tesla " in front do not count, nor do case and a repeated space.
/// A MIG slice ("... MIG 1g.5gb") is the GPU it is cut from, with fewer multiprocessors and less memory; a vGPU ("GRID
/// V100D-8C", "NVIDIA A100-40C") the physical one, with less memory. A name that nobody knows is looked up by
/// PCI device id. A K80 board is two devices: the row of one die.
GpuMatch find_gpu_spec(const GpuIdentity& identity);

/// The rows of that name, whatever else is known; none for a part of a card (MIG, vGPU) or a name nobody knows.
std::vector<const GpuSpec*> specs_called(const std::string& name);

/// GPUs that are sold as the same and measure the same: name, memory and multiprocessors are equal.
bool same_kind(const Device& a, const Device& b);

}  // namespace gpuassay
