#include "core/normalize.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "core/device_spread.h"
#include "core/enums.h"
#include "core/host_figures.h"
#include "core/instance_workloads.h"
#include "core/operation_times.h"
#include "core/operations.h"
#include "core/stats.h"
#include "core/workload_reader.h"

namespace gpuassay {
namespace {

constexpr int kFigureDigits = 6;
constexpr int kNoiseDigits = 4;

/// The peak that an operation could reach; empty when none is known or, as for a latency, none is meant.
struct PeakOf {
  const TheoreticalPeak& peak;

  static std::optional<double> of(const std::map<DType, double>& peaks, DType dtype) {
    const auto found = peaks.find(dtype);
    return found == peaks.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<double> operator()(const GemmParams& gemm) const { return of(peak.tflop_per_s, gemm.dtype); }
  std::optional<double> operator()(const ConvParams& conv) const { return of(peak.tflop_per_s, conv.dtype); }
  std::optional<double> operator()(const BandwidthParams& bandwidth) const {
    return bandwidth.level == MemoryLevel::dram ? peak.bandwidth_gb_per_s : std::nullopt;
  }
  std::optional<double> operator()(const ComputeParams& compute) const {
    return of(compute.unit == ComputeUnit::mma ? peak.tflop_per_s : peak.fma_tflop_per_s, compute.dtype);
  }
  std::optional<double> operator()(const LatencyParams&) const { return std::nullopt; }
  std::optional<double> operator()(const DiskParams&) const { return std::nullopt; }
  std::optional<double> operator()(const NetworkParams&) const { return std::nullopt; }
  std::optional<double> operator()(const CollectiveParams&) const { return std::nullopt; }
};

std::optional<double> peak_of(const OperationParams& params, const Device* device) {
  if (device == nullptr || !device->theoretical) return std::nullopt;
  return std::visit(PeakOf{*device->theoretical}, params);
}

std::optional<double>& slot(RegimeValues& values, Regime regime) {
  return regime == Regime::burst ? values.burst : values.sustained;
}

void raise(std::optional<double>& best, double value) { best = std::max(best.value_or(value), value); }
void lower(std::optional<double>& best, double value) { best = std::min(best.value_or(value), value); }

/// Under which name a bandwidth stands in the summary.
std::string bandwidth_key(const BandwidthParams& bandwidth) {
  std::string kernel(to_name(bandwidth.kernel));
  switch (bandwidth.level) {
    case MemoryLevel::dram:
    case MemoryLevel::pinned: return kernel;
    case MemoryLevel::pageable: return kernel + "_pageable";
    case MemoryLevel::ce:
    case MemoryLevel::sm: return fmt::format("{}_{}", kernel, to_name(bandwidth.level));
    case MemoryLevel::l1:
    case MemoryLevel::l2:
    case MemoryLevel::l3: break;
  }
  return std::string(to_name(bandwidth.level));
}

/// Adds the figure of one measurement that is ok; convolutions are added as a whole network elsewhere.
void add_figure(const Measurement& m, DeviceSummary& summary) {
  const double value = m.metric->value;
  if (const auto* gemm = std::get_if<GemmParams>(&m.params)) {
    if (is_square_gemm(m.params)) {
      raise(slot(summary.gemm_tflop_per_s[std::string(to_name(gemm->dtype))], m.regime), value);
    }
  } else if (const auto* bandwidth = std::get_if<BandwidthParams>(&m.params)) {
    auto& figure = slot(summary.bandwidth_gb_per_s[bandwidth_key(*bandwidth)], m.regime);
    // To the peer that is reached worst: a job that uses all devices waits for that one.
    if (is_peer_copy(bandwidth->kernel)) {
      lower(figure, value);
    } else {
      raise(figure, value);
    }
  } else if (const auto* compute = std::get_if<ComputeParams>(&m.params)) {
    raise(slot(summary.compute_tflop_per_s[std::string(to_name(compute->dtype))], m.regime), value);
  } else if (const auto* latency = std::get_if<LatencyParams>(&m.params)) {
    lower(slot(summary.latency_us[std::string(to_name(latency->kind))], m.regime), value);
  }
}

/// Of the collectives, which are of the instance as a whole: the best bus bandwidth, and the latency of one message.
void add_collective(const Measurement& m, DeviceSummary& instance) {
  const auto* collective = std::get_if<CollectiveParams>(&m.params);
  if (collective == nullptr || m.status != CaseStatus::ok || !m.metric) return;
  const std::string kind(to_name(collective->kind));
  if (collective->mode == CollectiveMode::bandwidth) {
    raise(slot(instance.collective_busbw_gb_per_s[kind], m.regime), m.metric->value);
  } else if (collective->message_bytes == kLatencyMessageBytes) {
    const std::string key = kind + "_" + std::string(to_name(collective->mode));
    lower(slot(instance.collective_latency_us[key], m.regime), m.metric->value);
    if (m.p99_ns)
      lower(slot(instance.collective_latency_us[key + "_p99"], m.regime),
            round_significant(*m.p99_ns / 1e3, kFigureDigits));
  }
}

/// FLOP/s of ResNet-50's convolutions in training, each as often as there, run one after the other; those that were not
/// measured as OperationTimes estimates them.
std::optional<double> network_conv_tflop_per_s(const OperationTimes& times, DType dtype) {
  double flops = 0;
  double time_ns = 0;
  for (const TracedOperation& operation : find_workload("resnet50_train")->operations) {
    if (!std::holds_alternative<TracedConv>(operation.params)) continue;
    const auto time = times.of(*measurable_params(operation, dtype));
    if (!time) return std::nullopt;
    flops += static_cast<double>(operation.count) * flop_count(operation);
    time_ns += static_cast<double>(operation.count) * time->median_ns;
  }
  return round_significant(flops / time_ns / 1e3, kFigureDigits);
}

/// The types in which enough convolutions were measured to say something of a whole network.
std::vector<DType> conv_dtypes(const std::vector<Measurement>& measurements, int device) {
  constexpr int kEnough = 4;
  std::map<DType, int> counts;
  for (const Measurement& m : measurements) {
    const auto* conv = std::get_if<ConvParams>(&m.params);
    if (conv != nullptr && m.device == device && m.regime == Regime::burst && m.status == CaseStatus::ok)
      ++counts[conv->dtype];
  }
  std::vector<DType> found;
  for (const auto& [dtype, count] : counts) {
    if (count >= kEnough) found.push_back(dtype);
  }
  return found;
}

/// How many times as long the sustained convolution of a type took as it took in its burst.
std::optional<double> conv_slowdown(int device, const std::vector<Measurement>& measurements, DType dtype) {
  for (const Measurement& m : measurements) {
    const auto* conv = std::get_if<ConvParams>(&m.params);
    if (conv == nullptr || conv->dtype != dtype || m.device != device || m.regime != Regime::sustained ||
        m.status != CaseStatus::ok)
      continue;
    for (const Measurement& burst : measurements) {
      if (burst.id == m.id && burst.device == device && burst.regime == Regime::burst &&
          burst.status == CaseStatus::ok && burst.median_ns && m.median_ns)
        return *m.median_ns / *burst.median_ns;
    }
  }
  return std::nullopt;
}

DeviceSummary summarize_device(int device, const std::vector<Measurement>& measurements) {
  DeviceSummary summary;
  summary.device = device;
  for (const Measurement& m : measurements) {
    if (m.device == device && m.status == CaseStatus::ok) add_figure(m, summary);
  }
  const OperationTimes times(device, measurements);
  for (const DType dtype : conv_dtypes(measurements, device)) {
    const auto figure = network_conv_tflop_per_s(times, dtype);
    if (!figure) continue;
    RegimeValues& values = summary.conv_tflop_per_s[std::string(to_name(dtype))];
    values.burst = figure;
    // One layer was put under sustained load, and stands for the others.
    if (const auto slowdown = conv_slowdown(device, measurements, dtype))
      values.sustained = round_significant(*figure / *slowdown, kFigureDigits);
  }
  return summary;
}

/// Readings of two passes as one: averages weighted by their seconds, extremes and event reasons of both. What one pass
/// could not read stays unknown.
GpuTelemetry pooled(const GpuTelemetry& first, double first_s, const GpuTelemetry& again, double again_s) {
  const auto combined = [](const auto& a, const auto& b, const auto& combine) {
    return a && b ? std::optional(combine(*a, *b)) : std::nullopt;
  };
  const auto mean = [&](double a, double b) {
    const double seconds = first_s + again_s;
    return seconds > 0 ? round_significant((first_s * a + again_s * b) / seconds, kNoiseDigits) : a;
  };
  const auto lowest = [](double a, double b) { return std::min(a, b); };
  const auto highest = [](double a, double b) { return std::max(a, b); };
  const auto widest = [](int a, int b) { return std::max(a, b); };
  const auto sum = [](std::map<std::string, double> a, const std::map<std::string, double>& b) {
    for (const auto& [reason, seconds] : b) a[reason] = round_significant(a[reason] + seconds, kNoiseDigits);
    return a;
  };
  return {combined(first.sm_clock_mhz, again.sm_clock_mhz, mean),
          combined(first.sm_clock_min_mhz, again.sm_clock_min_mhz, lowest),
          combined(first.memory_clock_mhz, again.memory_clock_mhz, mean),
          combined(first.power_w, again.power_w, mean),
          combined(first.temperature_c, again.temperature_c, highest),
          combined(first.event_reasons_s, again.event_reasons_s, sum),
          combined(first.throttled, again.throttled, [](bool a, bool b) { return a || b; }),
          combined(first.pcie_generation, again.pcie_generation, widest),
          combined(first.pcie_width, again.pcie_width, widest),
          combined(first.energy_j, again.energy_j, [](double a, double b) { return a + b; }),
          combined(first.mean_power_w, again.mean_power_w, mean)};
}

/// The clock that was stamped in both passes, weighted by their seconds; in one only, that one.
void pool_stamps(Telemetry& first, double first_s, const Telemetry& again, double again_s) {
  if (!again.sm_clock_stamped_mhz) return;
  const double share = first.sm_clock_stamped_mhz && first_s + again_s > 0 ? first_s / (first_s + again_s) : 0;
  first.sm_clock_stamped_mhz = round_significant(
      share * first.sm_clock_stamped_mhz.value_or(0) + (1 - share) * *again.sm_clock_stamped_mhz, kNoiseDigits);
  first.multiprocessors_stamped = std::max(first.multiprocessors_stamped, again.multiprocessors_stamped);
}

/// Samples of both times. Those of two algorithms are of two operations: then the faster one's, which a program that
/// chooses as we do would settle on.
void pool_samples(Measurement& first, const Measurement& again) {
  const std::size_t kept = std::max(first.samples_ns.size(), again.samples_ns.size());
  if (first.algorithm == again.algorithm) {
    first.samples_ns.insert(first.samples_ns.end(), again.samples_ns.begin(), again.samples_ns.end());
  } else if (median(again.samples_ns) < median(first.samples_ns)) {
    first.samples_ns = again.samples_ns;
    first.algorithm = again.algorithm;
  }
  first.samples_ns = thin(first.samples_ns, kept);
}

void pool(Measurement& first, const Measurement& again) {
  const bool adds_samples = again.status == CaseStatus::ok && first.status == CaseStatus::ok;
  const bool adds_knowledge = again.status == CaseStatus::wrong_result && first.status == CaseStatus::ok;
  if (first.status == CaseStatus::skipped || adds_knowledge) first = again;
  if (!adds_samples) return;
  pool_samples(first, again);
  first.stop_reason = again.stop_reason;
  const double first_s = first.seconds_under_load.value_or(0);
  const double again_s = again.seconds_under_load.value_or(0);
  if (first_s + again_s > 0) first.seconds_under_load = round_significant(first_s + again_s, kNoiseDigits);
  if (first.telemetry && again.telemetry && first.telemetry->steal_fraction && again.telemetry->steal_fraction) {
    const double steal_s = first_s * *first.telemetry->steal_fraction + again_s * *again.telemetry->steal_fraction;
    first.telemetry->steal_fraction = round_significant(steal_s / (first_s + again_s), 3);
  }
  if (first.telemetry && again.telemetry) pool_stamps(*first.telemetry, first_s, *again.telemetry, again_s);
  if (first.telemetry && again.telemetry && again.telemetry->gpu) {
    std::optional<GpuTelemetry>& gpu = first.telemetry->gpu;
    gpu = gpu ? pooled(*gpu, first_s, *again.telemetry->gpu, again_s) : again.telemetry->gpu;
  }
  if (first.verification && again.verification && again.verification->max_error > first.verification->max_error) {
    first.verification = again.verification;
  }
}

using Figures = std::map<std::string, RegimeValues>;

using FiguresOf = Figures DeviceSummary::*;
using ValueOf = std::optional<double> RegimeValues::*;

/// One figure of every device; empty when a device lacks it, as it would then be of fewer devices than it says.
std::vector<double> of_every_device(const std::vector<DeviceSummary>& devices, FiguresOf figures,
                                    const std::string& name, ValueOf value) {
  std::vector<double> values;
  for (const DeviceSummary& device : devices) {
    const auto found = (device.*figures).find(name);
    if (found == (device.*figures).end() || !(found->second.*value)) return {};
    values.push_back(*(found->second.*value));
  }
  return values;
}

/// The figures that any device has, joined over all devices; null where not every device has it.
template <class Join>
Figures of_instance(const std::vector<DeviceSummary>& devices, FiguresOf figures, const Join& join) {
  Figures joined;
  for (const DeviceSummary& device : devices) {
    for (const auto& [name, unused] : device.*figures) {
      for (const ValueOf value : {&RegimeValues::burst, &RegimeValues::sustained}) {
        const std::vector<double> values = of_every_device(devices, figures, name, value);
        joined[name].*value =
            values.empty() ? std::nullopt : std::optional(round_significant(join(name, values), kFigureDigits));
      }
    }
  }
  return joined;
}

/// What every device does by itself adds up.
double sum_of(const std::string& /*name*/, const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}
double slowest_of(const std::string& /*name*/, const std::vector<double>& values) {
  return *std::max_element(values.begin(), values.end());
}

/// The bandwidths that are of two devices each, by the names that they have in a summary.
std::set<std::string> figures_of_pairs(const std::vector<Measurement>& measurements) {
  std::set<std::string> names;
  for (const Measurement& m : measurements) {
    const auto* bandwidth = std::get_if<BandwidthParams>(&m.params);
    if (bandwidth != nullptr && is_peer_copy(bandwidth->kernel)) names.insert(bandwidth_key(*bandwidth));
  }
  return names;
}

/// Bandwidths of single devices add up; of pairs it is the one that is worst, as for each device.
Figures bandwidths_of_instance(const std::vector<DeviceSummary>& devices, const std::set<std::string>& of_pairs) {
  return of_instance(devices, &DeviceSummary::bandwidth_gb_per_s,
                     [&of_pairs](const std::string& name, const std::vector<double>& values) {
                       return of_pairs.contains(name) ? *std::min_element(values.begin(), values.end())
                                                      : sum_of(name, values);
                     });
}

}  // namespace

Measurement normalize(Measurement raw, const Device* device) {
  raw.metric.reset();
  raw.fraction_of_peak.reset();
  raw.median_ns.reset();
  raw.noise.reset();
  if (raw.samples_ns.empty()) return raw;
  raw.median_ns = median(raw.samples_ns);
  raw.noise = round_significant(noise(raw.samples_ns), kNoiseDigits);
  if (raw.status != CaseStatus::ok) return raw;
  raw.metric = metric_of(raw.params, *raw.median_ns);
  raw.metric->value = round_significant(raw.metric->value, kFigureDigits);
  if (const auto peak = peak_of(raw.params, device); peak && *peak > 0) {
    raw.fraction_of_peak = round_significant(raw.metric->value / *peak, kFigureDigits);
  }
  return raw;
}

std::vector<Measurement> normalize_all(std::vector<Measurement> raw, const std::vector<Device>& devices) {
  for (Measurement& measurement : raw) {
    const auto device =
        std::find_if(devices.begin(), devices.end(), [&](const Device& d) { return d.index == measurement.device; });
    measurement = normalize(std::move(measurement), device == devices.end() ? nullptr : &*device);
  }
  return raw;
}

std::vector<Measurement> pool_repeats(std::vector<Measurement> raw) {
  std::vector<Measurement> pooled;
  std::map<std::tuple<std::optional<int>, Regime, std::string>, std::size_t> places;
  for (Measurement& measurement : raw) {
    const auto [place, fresh] =
        places.emplace(std::tuple{measurement.device, measurement.regime, measurement.id}, pooled.size());
    if (fresh) {
      pooled.push_back(std::move(measurement));
    } else {
      pool(pooled[place->second], measurement);
    }
  }
  return pooled;
}

Summary summarize(const std::vector<Device>& devices, const std::vector<Measurement>& measurements) {
  Summary summary;
  for (const Device& device : devices) {
    summary.devices.push_back(summarize_device(device.index, measurements));
  }
  for (const FiguresOf figures :
       {&DeviceSummary::gemm_tflop_per_s, &DeviceSummary::conv_tflop_per_s, &DeviceSummary::compute_tflop_per_s}) {
    summary.instance.*figures = of_instance(summary.devices, figures, sum_of);
  }
  summary.instance.bandwidth_gb_per_s = bandwidths_of_instance(summary.devices, figures_of_pairs(measurements));
  summary.instance.latency_us = of_instance(summary.devices, &DeviceSummary::latency_us, slowest_of);
  summary.across_devices = device_spreads(summary.devices);
  add_host_figures(devices, measurements, summary.instance);
  for (const Measurement& m : measurements) add_collective(m, summary.instance);
  summary.instance.workloads = instance_workloads(devices, measurements);
  return summary;
}

}  // namespace gpuassay
