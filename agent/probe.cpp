#include "agent/probe.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "agent/probe/cgroup.h"
#include "agent/probe/container.h"
#include "agent/probe/cpu_cache.h"
#include "agent/probe/cpu_info.h"
#include "agent/probe/cpu_share.h"
#include "agent/probe/host_facts.h"
#include "agent/probe/unknown_fields.h"
#include "agent/probe/virtualization.h"

namespace gpuassay {
namespace {

/// RAM or the cgroup limit, whichever is smaller; the limit alone where RAM is unknown.
std::optional<std::int64_t> usable_memory_bytes(const SystemRoot& root, const CgroupLimits& limits) {
  const auto total_bytes = read_total_memory_bytes(root);
  if (!total_bytes) return limits.memory_bytes;
  return std::min(*total_bytes, limits.memory_bytes.value_or(*total_bytes));
}

std::string reason_without_model(const CpuInfo& info) {
  return info.processors > 0 ? "the kernel gives no model name for this processor" : "/proc/cpuinfo is not readable";
}

CpuFacts cpu_facts(const SystemRoot& root, const CpuInfo& info, const CpuShare& share) {
  CpuFacts facts;
  facts.allowed_cpus = share.allowed_cpus;
  facts.threads = share.threads;
  facts.has_avx2 = info.has_avx2;
  facts.has_avx512 = info.has_avx512;
  facts.has_bf16 = info.has_bf16;
  facts.has_vnni = info.has_vnni;
  const CpuCaches caches = read_cpu_caches(root, share.allowed_cpus, info);
  facts.l1d_bytes = caches.l1d_bytes;
  facts.l2_bytes = caches.l2_bytes;
  facts.l3_bytes = caches.l3_bytes;
  return facts;
}

Device cpu_device(const Host& host) {
  Device device;
  device.index = 0;
  device.kind = DeviceKind::cpu;
  device.name = host.cpu_model.value_or("CPU");
  device.memory_bytes = host.memory_bytes;
  return device;
}

}  // namespace

ProbeInputs probe_inputs(const std::filesystem::path& root) {
  ProbeInputs inputs{SystemRoot(root), std::nullopt};
  if (inputs.root.is_machine()) inputs.affinity = current_affinity();
  return inputs;
}

Inventory probe(const ProbeInputs& inputs) {
  const SystemRoot& root = inputs.root;
  const CpuInfo info = read_cpu_info(root);
  const CgroupLimits limits = read_cgroup_limits(root);
  const CpuShare share = read_cpu_share(root, inputs.affinity, limits, info);
  const Finding virtualization = detect_virtualization(root, info);
  const Finding container = detect_container(root);

  Inventory inventory;
  Host& host = inventory.host;
  host.cpu_model = info.model_name;
  host.logical_cpus = share.logical_cpus;
  host.effective_cpus = share.effective_cpus;
  host.memory_bytes = usable_memory_bytes(root, limits);
  host.os = read_os_name(root);
  host.kernel = read_kernel_release(root);
  host.virtualization = virtualization.value;
  host.container = container.value;

  inventory.cpu = cpu_facts(root, info, share);
  inventory.devices.push_back(cpu_device(host));
  inventory.uptime_s = read_uptime_s(root);
  inventory.unknown =
      unknown_fields(host, {reason_without_model(info), virtualization.reason, container.reason}, inventory.devices);
  return inventory;
}

}  // namespace gpuassay
