#include "agent/probe/unknown_fields.h"

#include <cstddef>
#include <optional>
#include <utility>

namespace gpuassay {
namespace {

template <class T>
void explain(std::vector<Unknown>& unknown, const std::optional<T>& fact, std::string path, std::string reason) {
  if (!fact) unknown.push_back({std::move(path), std::move(reason)});
}

void explain_host(std::vector<Unknown>& unknown, const Host& host, const HostReasons& reasons) {
  explain(unknown, host.cpu_model, "/host/cpu_model", reasons.cpu_model);
  explain(unknown, host.logical_cpus, "/host/logical_cpus",
          "neither /sys/devices/system/cpu/online nor /proc/cpuinfo lists the CPUs");
  explain(unknown, host.effective_cpus, "/host/effective_cpus",
          "no CPU list, affinity mask or cgroup quota is readable");
  explain(unknown, host.memory_bytes, "/host/memory_bytes",
          "neither /proc/meminfo nor a cgroup tells how much memory there is");
  explain(unknown, host.os, "/host/os", "there is no os-release file with a name");
  explain(unknown, host.kernel, "/host/kernel", "/proc/sys/kernel/osrelease is not readable");
  explain(unknown, host.virtualization, "/host/virtualization", reasons.virtualization);
  explain(unknown, host.container, "/host/container", reasons.container);
}

void explain_cpu_device(std::vector<Unknown>& unknown, const Device& device, std::size_t position) {
  const std::string base = "/devices/" + std::to_string(position) + "/";
  const std::string only_gpus = "only GPUs have this";
  explain(unknown, device.model, base + "model", only_gpus);
  explain(unknown, device.variant, base + "variant", only_gpus);
  explain(unknown, device.memory_bytes, base + "memory_bytes", "the memory of the host is unknown");
  explain(unknown, device.compute_capability, base + "compute_capability", only_gpus);
  explain(unknown, device.sm_count, base + "sm_count", only_gpus);
  explain(unknown, device.driver_version, base + "driver_version", only_gpus);
  explain(unknown, device.vbios, base + "vbios", only_gpus);
  explain(unknown, device.uuid_hash, base + "uuid_hash", only_gpus);
  explain(unknown, device.pci, base + "pci", only_gpus);
  explain(unknown, device.ecc, base + "ecc", "read for GPUs only");
  explain(unknown, device.mig, base + "mig", only_gpus);
  explain(unknown, device.vgpu, base + "vgpu", only_gpus);
  explain(unknown, device.limits, base + "limits", "read for GPUs only");
  explain(unknown, device.theoretical, base + "theoretical", "no datasheet peaks are kept for CPUs");
}

}  // namespace

std::vector<Unknown> unknown_fields(const Host& host, const HostReasons& reasons, const std::vector<Device>& devices) {
  std::vector<Unknown> unknown;
  explain_host(unknown, host, reasons);
  unknown.push_back({"/platform", "the platform was not looked for"});
  for (std::size_t position = 0; position < devices.size(); ++position) {
    if (devices[position].kind == DeviceKind::cpu) explain_cpu_device(unknown, devices[position], position);
  }
  return unknown;
}

}  // namespace gpuassay
