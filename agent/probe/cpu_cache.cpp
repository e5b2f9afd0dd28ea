#include "agent/probe/cpu_cache.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "agent/probe/cpu_list.h"
#include "agent/probe/text_fields.h"

namespace gpuassay {
namespace {

constexpr std::string_view kCpuDirectory = "/sys/devices/system/cpu";
/// Larger than any cache built: a file that says more is not believed.
constexpr std::int64_t kMaxCacheBytes = std::int64_t{16} << 30;

struct Cache {
  std::int64_t level = 0;
  std::int64_t size_bytes = 0;
  std::vector<int> shared_cpus;  ///< empty when unknown
};

std::string cpu_path(int cpu) { return std::string(kCpuDirectory) + "/cpu" + std::to_string(cpu); }

std::optional<Cache> read_cache(const SystemRoot& root, const std::string& directory) {
  const auto level = parse_integer(root.read_text(directory + "/level").value_or(""));
  const auto size = parse_size_bytes(root.read_text(directory + "/size").value_or(""));
  if (!level || !size || *size > kMaxCacheBytes) return std::nullopt;
  if (root.read_trimmed(directory + "/type") == "Instruction") return std::nullopt;
  auto shared = parse_cpu_list(root.read_text(directory + "/shared_cpu_list").value_or(""));
  return Cache{*level, *size, std::move(shared).value_or(std::vector<int>{})};
}

/// The data and unified caches of one CPU, in the order of their index.
std::vector<Cache> read_caches(const SystemRoot& root, int cpu) {
  std::vector<Cache> caches;
  const std::string directory = cpu_path(cpu) + "/cache";
  for (const std::string& name : root.list_directory(directory)) {
    if (name.rfind("index", 0) != 0) continue;
    if (auto cache = read_cache(root, directory + "/" + name)) caches.push_back(std::move(*cache));
  }
  return caches;
}

/// CPU ids that sysfs has a directory for.
std::vector<int> listed_cpus(const SystemRoot& root) {
  std::vector<int> ids;
  for (const std::string& name : root.list_directory(kCpuDirectory)) {
    if (name.rfind("cpu", 0) != 0) continue;
    const auto id = parse_integer(std::string_view(name).substr(3));
    if (id && *id >= 0 && *id <= kMaxCpuId) ids.push_back(static_cast<int>(*id));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// Size of a cache divided by the number of cores, not hardware threads, that share it.
std::int64_t bytes_per_core(const Cache& cache, std::size_t threads_per_core) {
  const std::size_t cores = cache.shared_cpus.size() / std::max<std::size_t>(1, threads_per_core);
  return cache.size_bytes / static_cast<std::int64_t>(std::max<std::size_t>(1, cores));
}

std::size_t threads_per_core(const SystemRoot& root, int cpu) {
  const auto siblings = parse_cpu_list(root.read_text(cpu_path(cpu) + "/topology/thread_siblings_list").value_or(""));
  return siblings ? siblings->size() : 1;
}

std::optional<std::string> package_of(const SystemRoot& root, int cpu) {
  return root.read_trimmed(cpu_path(cpu) + "/topology/physical_package_id");
}

/// Sum over the distinct L3 caches of the first CPU's socket. A CPU behind a cache already counted is skipped
/// without reading its files, so that 500 CPUs cost as many reads as there are caches.
std::int64_t sum_l3_bytes(const SystemRoot& root, const std::vector<int>& cpus) {
  std::int64_t total_bytes = 0;
  std::set<int> counted;
  std::optional<std::string> package;
  for (const int cpu : cpus) {
    if (counted.count(cpu) > 0) continue;
    for (const Cache& cache : read_caches(root, cpu)) {
      if (cache.level != 3) continue;
      if (total_bytes == 0) package = package_of(root, cpu);
      if (total_bytes > 0 && (cache.shared_cpus.empty() || package_of(root, cpu) != package)) continue;
      total_bytes += cache.size_bytes;
      counted.insert(cache.shared_cpus.begin(), cache.shared_cpus.end());
    }
  }
  return total_bytes;
}

CpuCaches caches_from_cpu_info(const CpuInfo& info) {
  CpuCaches caches;
  const std::int64_t size_bytes = info.cache_size_bytes.value_or(0);
  if (size_bytes <= 0 || size_bytes > kMaxCacheBytes) return caches;
  if (info.vendor_id == "GenuineIntel") caches.l3_bytes = size_bytes;
  if (info.vendor_id == "AuthenticAMD") caches.l2_bytes = size_bytes;
  return caches;
}

}  // namespace

CpuCaches read_cpu_caches(const SystemRoot& root, const std::vector<int>& allowed_cpus, const CpuInfo& info) {
  const std::vector<int> listed = listed_cpus(root);
  std::vector<int> cpus = intersect(allowed_cpus, listed);
  if (cpus.empty()) cpus = listed;
  for (const int cpu : cpus) {
    const std::vector<Cache> found = read_caches(root, cpu);
    if (found.empty()) continue;
    CpuCaches caches;
    const std::size_t threads = threads_per_core(root, cpu);
    for (const Cache& cache : found) {
      if (cache.level == 1) caches.l1d_bytes = bytes_per_core(cache, threads);
      if (cache.level == 2) caches.l2_bytes = bytes_per_core(cache, threads);
    }
    caches.l3_bytes = sum_l3_bytes(root, cpus);
    return caches;
  }
  return caches_from_cpu_info(info);
}

}  // namespace gpuassay
