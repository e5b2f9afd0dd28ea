#include "agent/probe/cpu_share.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>

#include "agent/probe/cpu_list.h"
#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

struct CpuSetDeleter {
  void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};

std::vector<int> without_nonsense(std::vector<int> ids) {
  ids.erase(std::remove_if(ids.begin(), ids.end(), [](int id) { return id < 0 || id > kMaxCpuId; }), ids.end());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

/// `ids` narrowed to `mask`, unless the two have nothing in common: then they do not count the same CPUs (lxcfs
/// renumbers the online list, for example) and the narrowing would say nothing.
void narrow(std::vector<int>& ids, const std::optional<std::vector<int>>& mask) {
  if (!mask) return;
  if (ids.empty()) {
    ids = *mask;
    return;
  }
  if (auto both = intersect(ids, *mask); !both.empty()) ids = std::move(both);
}

/// Cpus_allowed_list names possible CPUs too, so only those online count.
std::vector<int> recorded_affinity(const SystemRoot& root, const std::optional<std::vector<int>>& online) {
  const std::string status = root.read_text("/proc/self/status").value_or("");
  auto ids = parse_cpu_list(value_of_key(status, "Cpus_allowed_list", ':').value_or("")).value_or(std::vector<int>{});
  if (!ids.empty()) narrow(ids, online);
  return ids;
}

/// The CPUs of a machine that lists `count` processors and says nothing more.
std::vector<int> first_cpus(int count) {
  std::vector<int> ids;
  for (int id = 0; id < std::min(count, kMaxCpuId + 1); ++id) ids.push_back(id);
  return ids;
}

}  // namespace

std::optional<std::vector<int>> current_affinity() {
  // The kernel refuses a mask smaller than its own: grow until it fits.
  for (int capacity = 1024; capacity <= kMaxCpuId + 1; capacity *= 2) {
    const std::unique_ptr<cpu_set_t, CpuSetDeleter> set(CPU_ALLOC(static_cast<std::size_t>(capacity)));
    if (!set) return std::nullopt;
    const std::size_t size_bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(capacity));
    CPU_ZERO_S(size_bytes, set.get());
    if (sched_getaffinity(0, size_bytes, set.get()) == 0) {
      std::vector<int> ids;
      for (int id = 0; id < capacity; ++id) {
        if (CPU_ISSET_S(static_cast<std::size_t>(id), size_bytes, set.get())) ids.push_back(id);
      }
      return ids;
    }
    if (errno != EINVAL) return std::nullopt;
  }
  return std::nullopt;
}

CpuShare read_cpu_share(const SystemRoot& root, const std::optional<std::vector<int>>& affinity,
                        const CgroupLimits& limits, const CpuInfo& info) {
  CpuShare share;
  const auto online = parse_cpu_list(root.read_text("/sys/devices/system/cpu/online").value_or(""));
  if (online) {
    share.logical_cpus = static_cast<int>(online->size());
  } else if (info.processors > 0) {
    share.logical_cpus = info.processors;
  }

  share.allowed_cpus = affinity ? without_nonsense(*affinity) : recorded_affinity(root, online);
  narrow(share.allowed_cpus, limits.cpuset);
  if (share.allowed_cpus.empty()) share.allowed_cpus = online.value_or(first_cpus(info.processors));

  if (!share.allowed_cpus.empty()) share.effective_cpus = static_cast<double>(share.allowed_cpus.size());
  if (limits.quota_cpus) {
    share.effective_cpus = std::min(share.effective_cpus.value_or(*limits.quota_cpus), *limits.quota_cpus);
  }
  if (share.effective_cpus) share.threads = std::max(1, static_cast<int>(std::floor(*share.effective_cpus)));
  return share;
}

}  // namespace gpuassay
