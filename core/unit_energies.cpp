#include "core/unit_energies.h"

#include <algorithm>

#include "core/score.h"
#include "core/stats.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

constexpr int kEnergyDigits = 4;

bool is_gpu(const Device& device) { return device.kind == DeviceKind::cuda; }

}  // namespace

std::optional<double> power_of(const Measurement& measurement) {
  if (!measurement.telemetry || !measurement.telemetry->gpu) return std::nullopt;
  const GpuTelemetry& gpu = *measurement.telemetry->gpu;
  return gpu.mean_power_w ? gpu.mean_power_w : gpu.power_w;
}

std::optional<double> power_under_load_w(const std::vector<Device>& devices,
                                         const std::vector<Measurement>& measurements) {
  double sum_w = 0;
  for (const Device& device : devices) {
    if (!is_gpu(device)) continue;
    double highest_w = 0;
    for (const Measurement& m : measurements) {
      if (m.device == device.index && m.regime == Regime::sustained && m.status == CaseStatus::ok)
        highest_w = std::max(highest_w, power_of(m).value_or(0));
    }
    if (highest_w <= 0) return std::nullopt;
    sum_w += highest_w;
  }
  return sum_w > 0 ? std::optional(sum_w) : std::nullopt;
}

std::vector<UnitEnergy> unit_energies(const Score& score, const std::vector<Device>& devices,
                                      const std::vector<Measurement>& measurements) {
  std::vector<UnitEnergy> energies;
  if (std::none_of(devices.begin(), devices.end(), is_gpu)) return energies;
  const auto power_w = power_under_load_w(devices, measurements);
  for (const WorkloadScore* const workload : mixed_workloads(score)) {
    const TracedWorkload* const traced = find_workload(workload->name);
    if (traced == nullptr || !workload->samples_per_s) continue;
    UnitEnergy energy{workload->name, workload->precision, traced->unit, std::nullopt};
    if (power_w) energy.joules = round_significant(*power_w / *workload->samples_per_s, kEnergyDigits);
    energies.push_back(std::move(energy));
  }
  return energies;
}

}  // namespace gpuassay
