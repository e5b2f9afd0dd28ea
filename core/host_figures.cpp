#include "core/host_figures.h"

#include <algorithm>

#include "core/operations.h"

namespace gpuassay {
namespace {

void keep_higher(RegimeValues& values, double value) { values.burst = std::max(values.burst.value_or(value), value); }
void keep_lower(RegimeValues& values, double value) { values.burst = std::min(values.burst.value_or(value), value); }

bool is_of_host(const Measurement& m, const std::vector<Device>& devices) {
  return !m.device || std::any_of(devices.begin(), devices.end(), [&](const Device& device) {
    return device.index == *m.device && device.kind == DeviceKind::cpu;
  });
}

void add_disk(const DiskParams& disk, double value, DeviceSummary& instance) {
  switch (disk.kind) {
    case DiskKind::sequential_write: return keep_higher(instance.host_gb_per_s["disk_write"], value);
    case DiskKind::sequential_read: return keep_higher(instance.host_gb_per_s["disk_read"], value);
    case DiskKind::disk_to_device: return keep_lower(instance.host_gb_per_s["disk_to_device"], value);
  }
}

void add_processors(const Measurement& m, DeviceSummary& instance) {
  const auto* gemm = std::get_if<GemmParams>(&m.params);
  const auto* compute = std::get_if<ComputeParams>(&m.params);
  if (is_triad(m.params)) keep_higher(instance.host_gb_per_s["memory"], m.metric->value);
  if (gemm != nullptr && gemm->dtype == DType::fp32 && is_square_gemm(m.params))
    keep_higher(instance.host_tflop_per_s["gemm"], m.metric->value);
  if (compute != nullptr && compute->dtype == DType::fp32 && compute->unit == ComputeUnit::fma)
    keep_higher(instance.host_tflop_per_s["fma"], m.metric->value);
}

}  // namespace

void add_host_figures(const std::vector<Device>& devices, const std::vector<Measurement>& measurements,
                      DeviceSummary& instance) {
  for (const Measurement& m : measurements) {
    if (m.status != CaseStatus::ok || !m.metric || m.regime != Regime::burst) continue;
    const auto* network = std::get_if<NetworkParams>(&m.params);
    if (const auto* disk = std::get_if<DiskParams>(&m.params)) {
      add_disk(*disk, m.metric->value, instance);
    } else if (network != nullptr && network->kind == NetworkKind::connect) {
      keep_lower(instance.host_latency_us["connect"], m.metric->value);
    } else if (network != nullptr) {
      keep_higher(instance.host_gb_per_s["network"], m.metric->value);
    } else if (is_of_host(m, devices)) {
      add_processors(m, instance);
    }
  }
}

std::optional<double> host_figure(const std::map<std::string, RegimeValues>& figures, const std::string& name) {
  const auto found = figures.find(name);
  return found == figures.end() ? std::nullopt : found->second.burst;
}

std::optional<double> load_s(const DeviceSummary& instance, double bytes) {
  auto gb_per_s = host_figure(instance.host_gb_per_s, "disk_to_device");
  if (!gb_per_s) gb_per_s = host_figure(instance.host_gb_per_s, "disk_read");
  if (!gb_per_s || !(*gb_per_s > 0)) return std::nullopt;
  return bytes / (*gb_per_s * 1e9);
}

}  // namespace gpuassay
