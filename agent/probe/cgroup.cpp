#include "agent/probe/cgroup.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "agent/probe/cpu_list.h"
#include "agent/probe/mountinfo.h"
#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

// The kernel's own bounds (kernel/sched/core.c: min_cfs_quota_period, max_cfs_quota_period).
constexpr std::int64_t kMinQuotaUs = 1000;
constexpr std::int64_t kMinPeriodUs = 1000;
constexpr std::int64_t kMaxPeriodUs = 1'000'000;
/// v1 writes "no limit" as the largest page-aligned integer; nothing has 1 EiB.
constexpr std::int64_t kNoMemoryLimitBytes = std::int64_t{1} << 60;
/// Deeper groups and more mounts than these are not looked at.
constexpr std::size_t kMaxLevels = 64;
constexpr std::size_t kMaxMounts = 8;

/// One line of /proc/self/cgroup; `controllers` is empty for v2.
struct Membership {
  std::string_view controllers;
  std::string_view path;
};

std::vector<Membership> parse_memberships(std::string_view text) {
  std::vector<Membership> memberships;
  for (const std::string_view line : split(text, '\n')) {
    const auto id_and_rest = split_key_value(line, ':');
    if (!id_and_rest || !parse_integer(id_and_rest->first)) continue;
    const auto parts = split_key_value(id_and_rest->second, ':');
    if (parts && !parts->second.empty()) memberships.push_back({parts->first, parts->second});
  }
  return memberships;
}

/// Part of the group's path below the mounted directory; empty optional when it does not lie below it.
std::optional<std::string_view> path_below(std::string_view path, std::string_view mount_root) {
  if (mount_root == "/") return path;
  if (path.substr(0, mount_root.size()) != mount_root) return std::nullopt;
  path.remove_prefix(mount_root.size());
  if (!path.empty() && path.front() != '/') return std::nullopt;
  return path;
}

/// The directory of the group and all its visible ancestors, innermost first, ending with the mount point.
std::vector<std::string> levels_of(const Mount& mount, std::string_view group_path) {
  // A path outside the mounted part (another cgroup namespace) leaves only the mount point to look at.
  std::string_view below = path_below(group_path, mount.root).value_or("");
  std::vector<std::string> levels;
  const std::string base = mount.mount_point == "/" ? "" : mount.mount_point;
  while (!below.empty() && below != "/" && levels.size() < kMaxLevels) {
    levels.push_back(base + std::string(below));
    const std::size_t slash = below.rfind('/');
    below = slash == std::string_view::npos ? std::string_view{} : below.substr(0, slash);
  }
  levels.push_back(mount.mount_point);
  return levels;
}

template <class T>
void tighten(std::optional<T>& limit, const std::optional<T>& candidate) {
  if (candidate && (!limit || *candidate < *limit)) limit = candidate;
}

std::optional<double> quota_cpus(std::string_view quota_text, std::string_view period_text) {
  const auto quota_us = parse_integer(quota_text);  // "max" and -1 mean no limit
  const auto period_us = parse_integer(period_text);
  if (!quota_us || *quota_us < kMinQuotaUs) return std::nullopt;
  if (!period_us || *period_us < kMinPeriodUs || *period_us > kMaxPeriodUs) return std::nullopt;
  const double cpus = static_cast<double>(*quota_us) / static_cast<double>(*period_us);
  // More than any machine has limits nothing.
  return cpus <= kMaxCpuId ? std::optional(cpus) : std::nullopt;
}

std::optional<double> quota_cpus_v2(const std::optional<std::string>& cpu_max) {
  if (!cpu_max) return std::nullopt;
  const std::vector<std::string_view> fields = split_fields(trim(*cpu_max));
  if (fields.size() != 2) return std::nullopt;
  return quota_cpus(fields[0], fields[1]);
}

std::optional<std::int64_t> memory_limit_bytes(std::string_view text) {
  const auto limit_bytes = parse_integer(text);
  if (!limit_bytes || *limit_bytes <= 0 || *limit_bytes >= kNoMemoryLimitBytes) return std::nullopt;
  return limit_bytes;
}

void narrow_cpuset(std::optional<std::vector<int>>& cpuset, const std::optional<std::string>& list) {
  auto ids = list ? parse_cpu_list(*list) : std::nullopt;
  if (!ids) return;
  if (!cpuset) {
    cpuset = std::move(ids);
    return;
  }
  // An ancestor's set contains its descendants'; one that does not is from another machine's view.
  if (auto both = intersect(*cpuset, *ids); !both.empty()) cpuset = std::move(both);
}

/// The first of the two files that has content.
std::optional<std::string> read_either(const SystemRoot& root, const std::string& first, const std::string& second) {
  auto text = root.read_trimmed(first);
  return text ? text : root.read_trimmed(second);
}

void apply_v2_level(const SystemRoot& root, const std::string& level, CgroupLimits& limits) {
  tighten(limits.quota_cpus, quota_cpus_v2(root.read_text(level + "/cpu.max")));
  tighten(limits.memory_bytes, memory_limit_bytes(root.read_text(level + "/memory.max").value_or("")));
  narrow_cpuset(limits.cpuset, read_either(root, level + "/cpuset.cpus.effective", level + "/cpuset.cpus"));
}

void apply_v1_level(const SystemRoot& root, const std::string& level, std::string_view controller,
                    CgroupLimits& limits) {
  if (controller == "cpu") {
    tighten(limits.quota_cpus, quota_cpus(root.read_text(level + "/cpu.cfs_quota_us").value_or(""),
                                          root.read_text(level + "/cpu.cfs_period_us").value_or("")));
  } else if (controller == "memory") {
    tighten(limits.memory_bytes, memory_limit_bytes(root.read_text(level + "/memory.limit_in_bytes").value_or("")));
    // The kernel's own walk over the ancestors, those outside the container included.
    const std::string stat = root.read_text(level + "/memory.stat").value_or("");
    const auto inherited = value_of_key(stat, "hierarchical_memory_limit", ' ');
    tighten(limits.memory_bytes, memory_limit_bytes(inherited.value_or("")));
  } else {
    narrow_cpuset(limits.cpuset, read_either(root, level + "/cpuset.effective_cpus", level + "/cpuset.cpus"));
  }
}

/// Mounts of the hierarchy that shows the group, or else all mounts of that hierarchy.
std::vector<Mount> mounts_showing(const std::vector<Mount>& mounts, std::string_view fs_type,
                                  std::string_view controller, std::string_view group_path) {
  std::vector<Mount> showing;
  std::vector<Mount> others;
  for (const Mount& mount : mounts) {
    if (mount.fs_type != fs_type || (!controller.empty() && !has_option(mount.super_options, controller))) continue;
    auto& list = path_below(group_path, mount.root) ? showing : others;
    if (list.size() < kMaxMounts) list.push_back(mount);
  }
  return showing.empty() ? others : showing;
}

}  // namespace

CgroupLimits read_cgroup_limits(const SystemRoot& root) {
  CgroupLimits limits;
  const std::string cgroup_text = root.read_text("/proc/self/cgroup").value_or("");
  const std::vector<Mount> mounts = parse_mountinfo(root.read_text("/proc/self/mountinfo").value_or(""));
  for (const Membership& membership : parse_memberships(cgroup_text)) {
    if (membership.controllers.empty()) {
      for (const Mount& mount : mounts_showing(mounts, "cgroup2", "", membership.path)) {
        for (const std::string& level : levels_of(mount, membership.path)) apply_v2_level(root, level, limits);
      }
      continue;
    }
    for (const std::string_view controller : {"cpu", "memory", "cpuset"}) {
      if (!has_option(membership.controllers, controller)) continue;
      for (const Mount& mount : mounts_showing(mounts, "cgroup", controller, membership.path)) {
        for (const std::string& level : levels_of(mount, membership.path)) {
          apply_v1_level(root, level, controller, limits);
        }
      }
    }
  }
  return limits;
}

}  // namespace gpuassay
