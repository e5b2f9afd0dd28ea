// Which cases does a run measure around its devices: the CPUs and their memory, the disk, a network target? Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// What the plan of the CPU decides about sizes.
struct HostSizes {
  std::int64_t dram_array_bytes = 0;
  std::int64_t gemm_size = 0;
};

/// None in quick. With GPUs: the CPUs' memory and arithmetic (in full also the square product, which needs oneDNN),
/// then the disk, then a model's way from there into the first GPU of each kind. Without: the disk, as the CPU is a
/// device. All are optional, and last 9 s at most in standard, 60 s in full, where the disk writes 20 MB/s and more. In
/// any profile, and not optional, the network cases of a target that the user named: 2 s a download, 6 s and 1 GiB in
/// all.
std::vector<Case> host_cases(const Inventory& inventory, Profile profile, const HostSizes& sizes, bool has_target);

}  // namespace gpuassay
