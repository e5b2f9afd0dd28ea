// What do the control groups (v1, v2 or both) leave to this process?
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "agent/system_root.h"

namespace gpuassay {

/// The tightest limit on the way from the process's own group up to the root of what is mounted; absent where
/// nothing limits or nothing can be read.
struct CgroupLimits {
  std::optional<double> quota_cpus;        ///< CPU time over wall time, e.g. 1.5
  std::optional<std::vector<int>> cpuset;  ///< ascending ids
  std::optional<std::int64_t> memory_bytes;
};

/// Finds the own groups through /proc/self/cgroup and /proc/self/mountinfo. Figures that the kernel could not have
/// written (negative, zero, 1e30, a period outside 1 ms to 1 s) are ignored.
CgroupLimits read_cgroup_limits(const SystemRoot& root);

}  // namespace gpuassay
