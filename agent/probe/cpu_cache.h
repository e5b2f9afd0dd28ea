// How large are the data caches this process may use?
#pragma once

#include <cstdint>
#include <vector>

#include "agent/probe/cpu_info.h"
#include "agent/system_root.h"

namespace gpuassay {

/// Sizes in bytes, 0 where unknown. `l1d` and `l2` are what one core has: a cache shared by several cores is
/// divided among them. `l3` is the sum of the caches of one socket that the allowed CPUs reach.
struct CpuCaches {
  std::int64_t l1d_bytes = 0, l2_bytes = 0, l3_bytes = 0;
};

/// Reads /sys/devices/system/cpu/cpu*/cache for the allowed CPUs (for all CPUs when `allowed_cpus` is empty or
/// names none that sysfs knows). Without sysfs the "cache size" of cpuinfo stands for L3 on Intel and L2 on AMD.
CpuCaches read_cpu_caches(const SystemRoot& root, const std::vector<int>& allowed_cpus, const CpuInfo& info);

}  // namespace gpuassay
