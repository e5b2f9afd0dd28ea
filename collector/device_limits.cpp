#include "collector/device_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/gpu_names.h"
#include "core/gpu_peaks.h"
#include "core/gpu_specs.h"

namespace gpuassay {
namespace {

// Boards run a little above their published boost clock, and timers are read at both ends: what is within this is no
// lie.
constexpr double kTolerance = 1.05;
// No single device of 2026 is within an order of magnitude: fp4 of a B300 has 15,000 TFLOP/s, HBM 8 TB/s.
constexpr double kMostTflopPerS = 100'000;
constexpr double kMostGbPerS = 100'000;
// Two sockets of 128 cores with AMX have some 400 TFLOP/s in int8, twelve channels of DDR5 each 1,200 GB/s together.
constexpr double kMostCpuTflopPerS = 2'000;
constexpr double kMostCpuGbPerS = 20'000;  // from caches

GpuMatch match_of(const Device& device) {
  return find_gpu_spec({device.name, device.memory_bytes, device.sm_count, device.compute_capability});
}

/// The card's highest clock over the one its published peak is at.
double clock_headroom(const GpuSpec& spec) {
  if (!spec.boost_clock_mhz || !spec.nvml_max_sm_clock_mhz) return kTolerance;
  return std::max(1.0, *spec.nvml_max_sm_clock_mhz / *spec.boost_clock_mhz) * kTolerance;
}

/// How much less arithmetic an algorithm may do than the direct convolution whose operations are counted: Winograd
/// F(4x4, 3x3) does a quarter (Lavin and Gray, 2016), for filters larger than 1x1 that move by one.
double algorithmic_gain(const OperationParams& params) {
  constexpr double kWinograd = 4;
  const auto* const conv = std::get_if<ConvParams>(&params);
  return conv != nullptr && conv->r * conv->s > 1 && conv->stride == 1 ? kWinograd : 1;
}

std::optional<double> peak_for(const Measurement& m, const TheoreticalPeak& peak) {
  const auto of_dtype = [](const std::map<DType, double>& peaks, DType dtype) {
    const auto found = peaks.find(dtype);
    return found == peaks.end() ? std::nullopt : std::optional(found->second);
  };
  if (const auto* const gemm = std::get_if<GemmParams>(&m.params)) return of_dtype(peak.tflop_per_s, gemm->dtype);
  if (const auto* const conv = std::get_if<ConvParams>(&m.params)) return of_dtype(peak.tflop_per_s, conv->dtype);
  if (const auto* const compute = std::get_if<ComputeParams>(&m.params))
    return of_dtype(peak.tflop_per_s, compute->dtype);
  const auto* const bandwidth = std::get_if<BandwidthParams>(&m.params);
  return bandwidth != nullptr && bandwidth->level == MemoryLevel::dram ? peak.bandwidth_gb_per_s : std::nullopt;
}

void check_absolute(const Measurement& m, const Device& device, std::vector<std::string>& reasons) {
  const bool is_cpu = device.kind == DeviceKind::cpu;
  const double most = m.metric->unit == "TFLOP/s" ? (is_cpu ? kMostCpuTflopPerS : kMostTflopPerS)
                      : m.metric->unit == "GB/s"  ? (is_cpu ? kMostCpuGbPerS : kMostGbPerS)
                                                  : HUGE_VAL;
  if (!(m.metric->value <= most))
    reasons.push_back(fmt::format("beyond_physics: {} {} of {}", m.metric->value, m.metric->unit, m.id));
}

void check_telemetry(const GpuTelemetry& gpu, const GpuSpec* spec, const std::string& id,
                     std::vector<std::string>& reasons) {
  constexpr double kHottestC = 125;    // silicon shuts down below
  constexpr double kPowerSlack = 1.6;  // limits can be raised, readings overshoot
  const auto differs = [&](std::string_view what, double value) {
    reasons.push_back(fmt::format("device_differs: {} {} during {}", what, value, id));
  };
  if (gpu.temperature_c && (*gpu.temperature_c > kHottestC || *gpu.temperature_c < 0))
    differs("a temperature of", *gpu.temperature_c);
  if (spec == nullptr) return;
  if (gpu.power_w && spec->tdp_w && *gpu.power_w > *spec->tdp_w * kPowerSlack)
    differs("a power in watts of", *gpu.power_w);
  if (gpu.sm_clock_mhz && spec->nvml_max_sm_clock_mhz && *gpu.sm_clock_mhz > *spec->nvml_max_sm_clock_mhz * kTolerance)
    differs("an SM clock in MHz of", *gpu.sm_clock_mhz);
}

}  // namespace

void check_device(const Device& device, std::vector<std::string>& reasons) {
  if (device.kind != DeviceKind::cuda) return;
  const GpuMatch match = match_of(device);
  if (match.spec == nullptr && find_gpu_spec({device.name}).model)
    reasons.push_back(fmt::format("device_differs: {}: {}", device.name, match.reason));
  if (match.model != device.model || match.variant != device.variant)
    reasons.push_back(fmt::format("device_differs: a {} is called {}", device.name, device.model.value_or("nothing")));
}

CardLimits card_limits(const Device& device) {
  if (device.kind != DeviceKind::cuda) return {};
  const GpuMatch match = match_of(device);
  if (match.mig || match.vgpu || match.spec == nullptr) return {};
  return {match.spec, theoretical_peak(*match.spec)};
}

void check_physics(const Measurement& measurement, const Device& device, const CardLimits& card,
                   std::vector<std::string>& reasons) {
  if (measurement.telemetry && measurement.telemetry->gpu)
    check_telemetry(*measurement.telemetry->gpu, card.spec, measurement.id, reasons);
  if (!measurement.metric) return;
  check_absolute(measurement, device, reasons);
  if (card.spec == nullptr) return;
  const auto peak = peak_for(measurement, card.peak);
  if (!peak) return;
  const bool is_memory = std::holds_alternative<BandwidthParams>(measurement.params);
  const double most =
      *peak * (is_memory ? kTolerance : clock_headroom(*card.spec) * algorithmic_gain(measurement.params));
  if (measurement.metric->value > most)
    reasons.push_back(fmt::format("above_peak: {:.6g} {} of {}, where a {} has {:.6g}", measurement.metric->value,
                                  measurement.metric->unit, measurement.id, device.name, *peak));
}

}  // namespace gpuassay
