// How many CPUs does this process really have?
#pragma once

#include <optional>
#include <vector>

#include "agent/probe/cgroup.h"
#include "agent/probe/cpu_info.h"
#include "agent/system_root.h"

namespace gpuassay {

/// CPU ids of the calling thread's affinity mask, ascending; empty when the kernel refuses to tell.
std::optional<std::vector<int>> current_affinity();

struct CpuShare {
  std::optional<int> logical_cpus;       ///< online CPUs of the machine
  std::optional<double> effective_cpus;  ///< min(cgroup quota, allowed CPUs); absent when neither is known
  std::vector<int> allowed_cpus;         ///< affinity ∩ cpuset, ascending; empty when unknown
  int threads = 1;                       ///< max(1, floor(effective_cpus))
};

/// `affinity` is the process's mask when the caller knows it; otherwise Cpus_allowed_list below the root counts,
/// and without that every online CPU.
CpuShare read_cpu_share(const SystemRoot& root, const std::optional<std::vector<int>>& affinity,
                        const CgroupLimits& limits, const CpuInfo& info);

}  // namespace gpuassay
