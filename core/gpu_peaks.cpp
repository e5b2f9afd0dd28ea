#include "core/gpu_peaks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr int kDigits = 5;

// clang-format off
constexpr std::array<SmRates, 18> kSmRates{{
    //  cc    fp64 fp32 fp16 bf16  dp4a  fp64t fp16t int8t   fp8t   fp4t
    {"3.5",  128, 384,    0,   0,    0,    0,     0,     0,     0,     0},
    {"3.7",  128, 384,    0,   0,    0,    0,     0,     0,     0,     0},
    {"5.0",    8, 256,    0,   0,    0,    0,     0,     0,     0,     0},
    {"5.2",    8, 256,    0,   0,    0,    0,     0,     0,     0,     0},
    {"5.3",    8, 256,  512,   0,    0,    0,     0,     0,     0,     0},
    {"6.0",   64, 128,  256,   0,    0,    0,     0,     0,     0,     0},
    {"6.1",    8, 256,    4,   0, 1024,    0,     0,     0,     0,     0},
    {"6.2",    8, 256,  512,   0,    0,    0,     0,     0,     0,     0},
    {"7.0",   64, 128,  256,   0,    0,    0,  1024,     0,     0,     0},
    {"7.2",   64, 128,  256,   0,    0,    0,  1024,  2048,     0,     0},
    {"7.5",    4, 128,  256,   0,    0,    0,  1024,  2048,     0,     0},
    {"8.0",   64, 128,  512, 256,    0,  128,  2048,  4096,     0,     0},
    {"8.6",    4, 256,  256, 256,    0,    0,  1024,  2048,     0,     0},
    {"8.7",    4, 256,  256, 256,    0,    0,  2048,  4096,     0,     0},
    {"8.9",    4, 256,  256, 256,    0,    0,  1024,  2048,  2048,     0},
    {"9.0",  128, 256,  512, 512,    0,  256,  4096,  8192,  8192,     0},
    {"10.0", 128, 256,  512, 512,    0,  128,  8192, 16384, 16384, 32768},
    {"12.0",   4, 256,  256, 256,    0,    0,  1024,  2048,  2048,  4096},
}};
// clang-format on

using Peaks = std::map<DType, double>;

void set(Peaks& peaks, DType dtype, const std::optional<double>& tflop_per_s) {
  if (tflop_per_s && *tflop_per_s > 0) peaks[dtype] = round_significant(*tflop_per_s, kDigits);
}

std::optional<double> times(const std::optional<double>& value, double factor) {
  return value ? std::optional(*value * factor) : std::nullopt;
}

/// TFLOP/s of `rate` operations per clock and multiprocessor.
std::optional<double> from_rate(int rate, int sm_count, const std::optional<double>& clock_mhz) {
  if (rate == 0 || !clock_mhz) return std::nullopt;
  return rate * static_cast<double>(sm_count) * *clock_mhz * 1e6 / 1e12;
}

double ratio(int rate, int base) { return base == 0 ? 0 : static_cast<double>(rate) / base; }

/// Tensor formats that follow from fp16 with fp32 accumulation, at `full_rate` the rate of fp16 accumulation.
void set_tensor_peaks(TheoreticalPeak& peak, const SmRates& rates, const std::optional<double>& fp16,
                      double full_over_fp16) {
  if (!fp16) return;
  const double full = *fp16 * full_over_fp16;
  set(peak.tflop_per_s, DType::fp16, fp16);
  set(peak.tflop_per_s, DType::fp16_acc16, full);
  set(peak.tflop_per_s, DType::int8, full * ratio(rates.int8_tensor, rates.fp16_tensor));
  // fp8 accumulates in fp32 here: at half rate where fp16 does. fp4 is not slowed.
  set(peak.tflop_per_s, DType::fp8_e4m3, *fp16 * ratio(rates.fp8_tensor, rates.fp16_tensor));
  set(peak.tflop_per_s, DType::fp4, full * ratio(rates.fp4_tensor, rates.fp16_tensor));
  constexpr int kTf32Since = 80;
  if (capability_number(rates.compute_capability) >= kTf32Since) {
    set(peak.tflop_per_s, DType::bf16, fp16);
    set(peak.tflop_per_s, DType::tf32, *fp16 / 2);
  }
}

/// fp16 operands on cards without tensor cores: multiplied and added in fp32, or on fp16 lanes.
void set_plain_half_peaks(TheoreticalPeak& peak, const SmRates& rates) {
  constexpr int kGemmExSince = 50;  // cuBLAS takes fp16 operands from compute capability 5.0 on
  if (rates.fp16_tensor > 0 || capability_number(rates.compute_capability) < kGemmExSince) return;
  if (peak.fma_tflop_per_s.contains(DType::fp32)) peak.tflop_per_s[DType::fp16] = peak.fma_tflop_per_s[DType::fp32];
  if (peak.fma_tflop_per_s.contains(DType::fp16_acc16)) {
    peak.tflop_per_s[DType::fp16_acc16] = peak.fma_tflop_per_s[DType::fp16_acc16];
  }
}

/// The multiply-add lanes of every format, from those of fp32: one clock drives them all.
void set_lanes(TheoreticalPeak& peak, const SmRates& rates, const std::optional<double>& fp32) {
  const auto in_proportion = [&](int rate) { return times(fp32, ratio(rate, rates.fp32)); };
  set(peak.fma_tflop_per_s, DType::fp64, in_proportion(rates.fp64));
  set(peak.fma_tflop_per_s, DType::fp32, fp32);
  set(peak.fma_tflop_per_s, DType::fp16_acc16, in_proportion(rates.fp16));
  set(peak.fma_tflop_per_s, DType::bf16, in_proportion(rates.bf16));
  set(peak.fma_tflop_per_s, DType::int8, in_proportion(rates.int8_dp4a));
}

/// fp64, fp32 and int8 by the faster of lanes and tensor cores, from the peaks of the lanes.
void set_from_lanes(TheoreticalPeak& peak, const SmRates& rates) {
  for (const DType dtype : {DType::fp64, DType::fp32, DType::int8}) {
    const auto lanes = peak.fma_tflop_per_s.find(dtype);
    if (lanes == peak.fma_tflop_per_s.end()) continue;
    const bool tensor = dtype == DType::fp64 && rates.fp64_tensor > rates.fp64;
    set(peak.tflop_per_s, dtype, lanes->second * (tensor ? ratio(rates.fp64_tensor, rates.fp64) : 1));
  }
  set_plain_half_peaks(peak, rates);
}

void scale(Peaks& peaks, double factor) {
  for (auto& [dtype, value] : peaks) value = round_significant(value * factor, kDigits);
}

/// GB of memory that a MIG profile such as "1g.5gb" names.
std::optional<double> mig_memory_gb(const std::string& profile) {
  const std::size_t dot = profile.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  int gb = 0;
  const char* begin = profile.data() + dot + 1;
  const auto [end, problem] = std::from_chars(begin, profile.data() + profile.size(), gb);
  const bool named = problem == std::errc() && std::string_view(end, profile.data() + profile.size()).starts_with("gb");
  return named && gb > 0 ? std::optional<double>(gb) : std::nullopt;
}

/// A slice's share of the card: its multiprocessors compute, its memory slices carry the bandwidth.
void cut_to_slice(TheoreticalPeak& peak, const Device& device, const GpuSpec& spec) {
  if (!device.sm_count) return;
  const double share = static_cast<double>(*device.sm_count) / spec.sm_count;
  scale(peak.tflop_per_s, share);
  scale(peak.fma_tflop_per_s, share);
  const std::optional<double> memory_gb = mig_memory_gb(*device.mig);
  if (!memory_gb || !peak.bandwidth_gb_per_s) {
    peak.bandwidth_gb_per_s.reset();
    return;
  }
  // Memory is cut into eighths; a profile's name rounds them ("7g.80gb", "1g.10gb" of 80).
  constexpr double kMemorySlices = 8;
  const double slices = std::clamp(std::round(*memory_gb / spec.memory_gib * kMemorySlices), 1.0, kMemorySlices);
  peak.bandwidth_gb_per_s = round_significant(*peak.bandwidth_gb_per_s * slices / kMemorySlices, kDigits);
}

}  // namespace

const SmRates* sm_rates(std::string_view compute_capability) {
  const auto* found = std::find_if(kSmRates.begin(), kSmRates.end(), [&](const SmRates& rates) {
    return rates.compute_capability == compute_capability;
  });
  return found == kSmRates.end() ? nullptr : found;
}

std::optional<int> capability_number(std::string_view compute_capability) {
  int major = 0;
  int minor = 0;
  const char* end = compute_capability.data() + compute_capability.size();
  const auto [dot, bad_major] = std::from_chars(compute_capability.data(), end, major);
  if (bad_major != std::errc() || dot == end || *dot != '.') return std::nullopt;
  const auto [last, bad_minor] = std::from_chars(dot + 1, end, minor);
  const bool valid = bad_minor == std::errc() && last == end && major > 0 && minor >= 0 && minor <= 9;
  return valid ? std::optional(10 * major + minor) : std::nullopt;
}

bool has_half_rate_fp32_accumulate(std::string_view name, std::string_view compute_capability) {
  constexpr int kTuring = 75;
  return name.find("GeForce") != std::string_view::npos && capability_number(compute_capability) >= kTuring;
}

std::vector<DType> dtypes_of(std::string_view compute_capability) {
  const int capability = capability_number(compute_capability).value_or(0);
  if (capability == 0) return {};
  std::vector<DType> dtypes{DType::fp32, DType::fp64};
  const auto add_from = [&](int first, DType dtype) {
    if (capability >= first) dtypes.push_back(dtype);
  };
  add_from(50, DType::fp16);
  if (capability == 53 || capability == 60 || capability == 62) dtypes.push_back(DType::fp16_acc16);
  add_from(70, DType::fp16_acc16);
  add_from(80, DType::tf32);
  add_from(80, DType::bf16);
  // Four-way int8 products came with 6.1; 6.0 and 6.2 lack them.
  if (capability == 61 || capability >= 70) dtypes.push_back(DType::int8);
  add_from(89, DType::fp8_e4m3);
  add_from(100, DType::fp4);
  return dtypes;
}

TheoreticalPeak theoretical_peak(const GpuSpec& spec) {
  TheoreticalPeak peak;
  peak.bandwidth_gb_per_s = spec.bandwidth_gb_per_s;
  const SmRates* rates = sm_rates(spec.compute_capability);
  if (rates == nullptr) return peak;
  const std::optional<double> derived = from_rate(rates->fp32, spec.sm_count, spec.boost_clock_mhz);
  set_lanes(peak, *rates, spec.fp32_tflop_per_s ? spec.fp32_tflop_per_s : derived);
  set_from_lanes(peak, *rates);
  const bool half = has_half_rate_fp32_accumulate(spec.nvml_names.front(), spec.compute_capability);
  if (rates->fp16_tensor > 0) {
    set_tensor_peaks(peak, *rates, spec.fp16_tensor_tflop_per_s, half ? 2 : 1);
    set(peak.tflop_per_s, DType::tf32, spec.tf32_tensor_tflop_per_s);
    set(peak.tflop_per_s, DType::bf16, spec.bf16_tensor_tflop_per_s);
    set(peak.tflop_per_s, DType::int8, spec.int8_tensor_tflop_per_s);
    set(peak.tflop_per_s, DType::fp8_e4m3, spec.fp8_tensor_tflop_per_s);
  }
  return peak;
}

std::optional<double> highest_sm_clock_mhz(const GpuSpec& spec) {
  if (spec.nvml_max_sm_clock_mhz) return spec.nvml_max_sm_clock_mhz;
  if (spec.boost_clock_mhz) return spec.boost_clock_mhz;
  const SmRates* const rates = sm_rates(spec.compute_capability);
  if (rates == nullptr || !spec.fp32_tflop_per_s) return std::nullopt;
  return *spec.fp32_tflop_per_s * 1e6 / (static_cast<double>(spec.sm_count) * rates->fp32);
}

TheoreticalPeak derived_peak(const GpuFacts& facts) {
  TheoreticalPeak peak;
  if (facts.max_memory_clock_mhz && facts.memory_bus_bits) {
    const double bytes_per_transfer = *facts.memory_bus_bits / 8;
    peak.bandwidth_gb_per_s = round_significant(2 * *facts.max_memory_clock_mhz * bytes_per_transfer / 1e3, kDigits);
  }
  const SmRates* rates = sm_rates(facts.compute_capability);
  if (rates == nullptr || facts.sm_count <= 0) return peak;
  const auto derived = [&](int rate) { return from_rate(rate, facts.sm_count, facts.max_sm_clock_mhz); };
  set_lanes(peak, *rates, derived(rates->fp32));
  set_from_lanes(peak, *rates);
  const bool half = has_half_rate_fp32_accumulate(facts.name, facts.compute_capability);
  set_tensor_peaks(peak, *rates, times(derived(rates->fp16_tensor), half ? 0.5 : 1), half ? 2 : 1);
  return peak;
}

std::vector<Unknown> describe_gpu(Device& device, const std::optional<std::string>& pci_device_id,
                                  std::optional<double> memory_bus_bits) {
  const GpuMatch match =
      find_gpu_spec({device.name, device.memory_bytes, device.sm_count, device.compute_capability, pci_device_id});
  device.model = match.model;
  device.variant = match.variant;
  if (match.mig) device.mig = match.mig;
  if (match.vgpu) device.vgpu = match.vgpu;
  if (match.spec != nullptr) {
    device.theoretical = theoretical_peak(*match.spec);
    if (match.mig) cut_to_slice(*device.theoretical, device, *match.spec);
  } else {
    const DeviceLimits limits = device.limits.value_or(DeviceLimits{});
    const std::string capability = device.compute_capability.value_or("");
    device.theoretical = derived_peak({device.name, capability, device.sm_count.value_or(0), limits.max_sm_clock_mhz,
                                       limits.max_memory_clock_mhz, memory_bus_bits});
  }
  std::vector<Unknown> unknown;
  const std::string path = "/devices/" + std::to_string(device.index);
  if (!device.model) unknown.push_back({path + "/model", match.reason});
  if (!device.variant) {
    unknown.push_back({path + "/variant", match.spec != nullptr ? "this model has one form only" : match.reason});
  }
  const TheoreticalPeak& peak = *device.theoretical;
  if (peak.tflop_per_s.empty() && !peak.bandwidth_gb_per_s) {
    device.theoretical.reset();
    unknown.push_back({path + "/theoretical", match.reason + "; its clocks or its architecture's rates are unknown"});
  } else if (!peak.bandwidth_gb_per_s) {
    unknown.push_back({path + "/theoretical/bandwidth_gb_per_s", "neither published nor told by the driver"});
  }
  return unknown;
}

}  // namespace gpuassay
