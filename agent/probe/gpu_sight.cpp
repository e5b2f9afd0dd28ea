#include "agent/probe/gpu_sight.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/probe/gpu_health_fields.h"
#include "agent/probe/text_fields.h"
#include "core/error.h"
#include "core/gpu_peaks.h"
#include "core/json_fields.h"

namespace gpuassay {

template <>
struct Fields<GpuSight> {
  static void visit(auto& ar, auto& v) {
    ar("ordinal", v.ordinal), ar("name", v.name), ar("pci_bus_id", v.pci_bus_id);
    ar("compute_capability", v.compute_capability), ar("sm_count", v.sm_count), ar("memory_bytes", v.memory_bytes);
    ar("uuid", v.uuid), ar("l2_bytes", v.l2_bytes), ar("memory_bus_bits", v.memory_bus_bits);
    ar("free_bytes", v.free_bytes), ar("driver_version", v.driver_version), ar("vbios", v.vbios);
    ar("virtualization", v.virtualization), ar("pci_device_id", v.pci_device_id);
    ar("power_limit_w", v.power_limit_w), ar("default_power_limit_w", v.default_power_limit_w);
    ar("max_sm_clock_mhz", v.max_sm_clock_mhz), ar("max_memory_clock_mhz", v.max_memory_clock_mhz);
    ar("pcie_generation", v.pcie_generation), ar("pcie_width", v.pcie_width);
    ar("pcie_max_generation", v.pcie_max_generation), ar("pcie_max_width", v.pcie_max_width);
    ar("ecc", v.ecc), ar("mig", v.mig), ar("health", v.health), ar("nvml_problem", v.nvml_problem),
        ar("reasons", v.reasons);
  }
};
template <>
struct Fields<LinkSight> {
  static void visit(auto& ar, auto& v) {
    ar("device", v.device), ar("peer", v.peer), ar("nvlinks", v.nvlinks), ar("topology", v.topology);
    ar("read", v.read), ar("write", v.write), ar("reasons", v.reasons);
  }
};
template <>
struct Fields<GpuSights> {
  static void visit(auto& ar, auto& v) {
    ar("cuda_version", v.cuda_version), ar("simulated", v.simulated), ar("nvml_problem", v.nvml_problem);
    ar("gpus", v.gpus), ar("links", v.links);
  }
};

namespace {

std::string capability_text(int number) { return fmt::format("{}.{}", number / 10, number % 10); }

/// Fills `target` from `source`, or explains the null.
class Explainer {
 public:
  Explainer(const GpuSights& sights, const GpuSight& gpu, std::size_t position, std::vector<Unknown>& unknown)
      : sights_(sights), gpu_(gpu), base_(fmt::format("/devices/{}/", position)), unknown_(unknown) {}

  template <class T>
  void require(const std::optional<T>& value, const char* path, const char* field) const {
    if (!value) unknown_.push_back({base_ + path, reason_for(field)});
  }

 private:
  [[nodiscard]] std::string reason_for(const char* field) const {
    const auto found = gpu_.reasons.find(field);
    if (found != gpu_.reasons.end()) return clean_text(found->second).value_or("unknown");
    const std::string& problem = gpu_.nvml_problem.empty() ? sights_.nvml_problem : gpu_.nvml_problem;
    return problem.empty() ? "NVML does not tell" : clean_text(problem).value_or("unknown");
  }

  const GpuSights& sights_;
  const GpuSight& gpu_;
  std::string base_;
  std::vector<Unknown>& unknown_;
};

std::optional<std::string> cleaned(const std::optional<std::string>& text) {
  return text ? clean_text(*text) : std::nullopt;
}

}  // namespace

std::string to_text(const GpuSights& sights) {
  // What a driver calls itself may be no UTF-8.
  return write_value(sights).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

GpuSights sights_from_text(std::string_view text) {
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (document.is_discarded()) throw Error(ErrorCode::unreadable_input, "the GPU process answered nonsense; run again");
  GpuSights sights;
  read_value(document, "", sights);
  return sights;
}

std::optional<std::string> driver_version_text(const GpuSights& sights, const GpuSight& gpu) {
  if (gpu.driver_version) return cleaned(gpu.driver_version);
  if (sights.cuda_version <= 0) return std::nullopt;
  return fmt::format("CUDA {}.{}", sights.cuda_version / 1000, sights.cuda_version % 1000 / 10);
}

std::vector<DeviceLink> links_between(const GpuSights& sights, std::vector<Unknown>& unknown) {
  if (!sights.links.empty() || sights.gpus.size() < 2) return links_of(sights.links, unknown);
  std::vector<LinkSight> untold;
  const int count = static_cast<int>(sights.gpus.size());
  for (int device = 0; device < count; ++device) {
    for (int peer = device + 1; peer < count; ++peer) {
      LinkSight& sight = untold.emplace_back();
      sight.device = device;
      sight.peer = peer;
      for (const char* field : {"nvlinks", "pcie", "peer_access"}) sight.reasons[field] = sights.nvml_problem;
    }
  }
  return links_of(untold, unknown);
}

Device device_of(const GpuSights& sights, std::size_t position, std::vector<Unknown>& unknown) {
  const GpuSight& gpu = sights.gpus.at(position);
  Device device;
  device.index = static_cast<int>(position);
  device.kind = DeviceKind::cuda;
  device.simulated = sights.simulated;
  device.name = clean_text(gpu.name).value_or("NVIDIA GPU");
  device.memory_bytes = gpu.memory_bytes;
  device.compute_capability = capability_text(gpu.compute_capability);
  device.sm_count = gpu.sm_count;
  device.driver_version = driver_version_text(sights, gpu);
  device.vbios = cleaned(gpu.vbios);
  device.ecc = gpu.ecc;
  if (gpu.virtualization && *gpu.virtualization != "none") device.vgpu = cleaned(gpu.virtualization);
  if (gpu.pcie_generation || gpu.pcie_width || gpu.pcie_max_generation || gpu.pcie_max_width) {
    device.pci = Pci{gpu.pcie_generation, gpu.pcie_width, gpu.pcie_max_generation, gpu.pcie_max_width};
  }
  if (gpu.power_limit_w || gpu.max_sm_clock_mhz) {
    device.limits =
        DeviceLimits{gpu.power_limit_w, gpu.default_power_limit_w, gpu.max_sm_clock_mhz, gpu.max_memory_clock_mhz};
  }
  const auto described = describe_gpu(device, cleaned(gpu.pci_device_id), gpu.memory_bus_bits);
  unknown.insert(unknown.end(), described.begin(), described.end());

  const Explainer explain(sights, gpu, position, unknown);
  explain.require(device.driver_version, "driver_version", "driver_version");
  explain.require(device.vbios, "vbios", "vbios");
  explain.require(device.ecc, "ecc", "ecc");
  explain.require(device.pci, "pci", "pcie_generation");
  if (device.pci) {
    explain.require(device.pci->generation, "pci/generation", "pcie_generation");
    explain.require(device.pci->width, "pci/width", "pcie_width");
    explain.require(device.pci->max_generation, "pci/max_generation", "pcie_max_generation");
    explain.require(device.pci->max_width, "pci/max_width", "pcie_max_width");
  }
  explain.require(device.limits, "limits", "power_limit_w");
  if (device.limits) explain.require(device.limits->power_limit_w, "limits/power_limit_w", "power_limit_w");
  const std::string base = fmt::format("/devices/{}/", position);
  if (!device.mig) {
    unknown.push_back({base + "mig", gpu.mig.value_or(false) ? "the name does not tell the slice" : "no MIG slice"});
  }
  if (!device.vgpu) {
    unknown.push_back(
        {base + "vgpu", gpu.virtualization ? "no vGPU" : "NVML does not tell; the name is none of a vGPU"});
  }
  return device;
}

}  // namespace gpuassay
