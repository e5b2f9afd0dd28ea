#include "core/gpu_peaks.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace gpuassay {
namespace {

TheoreticalPeak peak_of(const std::string& gpu) { return theoretical_peak(*gpu_spec_named(gpu)); }

double fraction_off(double value, double reference) { return std::abs(value / reference - 1); }

// One card per architecture, worked by hand: multiprocessors * rate * clock.
struct ByHand {
  const char* gpu = nullptr;
  DType dtype = DType::fp32;
  double tflop_per_s = 0;
  bool lanes = false;  ///< of the multiply-add lanes alone
};

TEST(TheoreticalPeak, HandWorkedForEveryArchitecture) {
  const ByHand cases[] = {
      {"K80 (one GK210)", DType::fp32, 13 * 192 * 2 * 0.824e-3},  // 4.11
      {"K80 (one GK210)", DType::fp64, 13 * 64 * 2 * 0.824e-3},   // 1.37
      {"K40m", DType::fp32, 15 * 192 * 2 * 0.875e-3},             // 5.04
      {"M60 (one GM204)", DType::fp32, 16 * 128 * 2 * 1.178e-3},  // 4.83
      {"M60 (one GM204)", DType::fp16, 16 * 128 * 2 * 1.178e-3},  // fp16 operands, fp32 arithmetic
      {"P100-SXM2-16GB", DType::fp16_acc16, 56 * 256 * 1.48e-3},  // 21.2
      {"P100-SXM2-16GB", DType::fp64, 56 * 64 * 1.48e-3},         // 5.3
      {"P40", DType::int8, 30 * 1024 * 1.531e-3},                 // 47.0, as published
      {"V100-SXM2-16GB", DType::fp32, 80 * 64 * 2 * 1.53e-3},     // 15.7
      {"V100-SXM2-16GB", DType::fp16, 80 * 1024 * 1.53e-3},       // 125
      {"T4", DType::int8, 40 * 2048 * 1.59e-3},                   // 130
      {"RTX 2080 Ti", DType::fp16_acc16, 68 * 1024 * 1.545e-3},   // twice its fp32-accumulate rate
      {"A100-SXM4-40GB", DType::fp64, 108 * 128 * 1.41e-3},       // 19.5 by tensor cores
      {"A100-SXM4-40GB", DType::fp64, 108 * 64 * 1.41e-3, true},  // 9.7 without
      {"A100-SXM4-40GB", DType::tf32, 108 * 1024 * 1.41e-3},      // 156
      {"RTX 3090", DType::fp16, 82 * 512 * 1.695e-3},             // 71, half rate
      {"RTX 3090", DType::fp16_acc16, 82 * 1024 * 1.695e-3},      // 142
      {"A10", DType::fp16_acc16, 72 * 1024 * 1.695e-3},           // 125: no half rate
      {"RTX 4090", DType::fp8_e4m3, 128 * 1024 * 2.52e-3},        // 330
      {"L40S", DType::fp8_e4m3, 142 * 2048 * 2.52e-3},            // 733
      {"H100-SXM5-80GB", DType::fp16, 132 * 4096 * 1.83e-3},      // 989: NVIDIA's tensor clock is 1830 MHz
      {"H100-SXM5-80GB", DType::fp64, 132 * 256 * 1.98e-3},       // 67 by tensor cores
      {"B200-SXM", DType::fp8_e4m3, 4500},
      {"B200-SXM", DType::fp4, 9000},
      {"RTX 5090", DType::fp16, 170 * 512 * 2.407e-3},  // 209.5
      {"RTX 5090", DType::fp4, 170 * 4096 * 2.407e-3},  // 1676
  };
  for (const ByHand& c : cases) {
    const TheoreticalPeak peak = peak_of(c.gpu);
    const auto& peaks = c.lanes ? peak.fma_tflop_per_s : peak.tflop_per_s;
    ASSERT_TRUE(peaks.contains(c.dtype)) << c.gpu;
    EXPECT_LT(fraction_off(peaks.at(c.dtype), c.tflop_per_s), 0.015) << c.gpu << " " << peaks.at(c.dtype);
  }
}

TEST(TheoreticalPeak, WhatTheHardwareLacksHasNoPeak) {
  EXPECT_FALSE(peak_of("K80 (one GK210)").tflop_per_s.contains(DType::fp16));
  EXPECT_FALSE(peak_of("V100-SXM2-16GB").tflop_per_s.contains(DType::bf16));
  EXPECT_FALSE(peak_of("T4").tflop_per_s.contains(DType::tf32));
  EXPECT_FALSE(peak_of("A100-SXM4-40GB").tflop_per_s.contains(DType::fp8_e4m3));
  EXPECT_FALSE(peak_of("H100-SXM5-80GB").tflop_per_s.contains(DType::fp4));
  // Published nowhere we trust, so not made up from a better card's rate.
  EXPECT_FALSE(peak_of("A10G").tflop_per_s.contains(DType::fp16));
  EXPECT_TRUE(peak_of("A10G").tflop_per_s.contains(DType::fp32));
}

// Every figure of the table against its architecture's rate and its clock. Exceptions with their reasons:
const std::map<std::string, std::string> kFp16TensorElsewhere{
    {"H100-PCIE-80GB", "published for a tensor clock of 1620 MHz, lanes at 1755"},
    {"H100-SXM5-80GB", "published for a tensor clock of 1830 MHz, lanes at 1980"},
    {"H100-NVL-94GB", "published for a lower tensor clock"},
    {"H200-SXM", "published for a tensor clock of 1830 MHz"},
    {"H200-NVL", "published for a lower tensor clock"},
    {"B200-SXM", "published for a tensor clock of about 1855 MHz"},
};
const std::map<std::string, std::string> kFp64Elsewhere{
    {"A10", "the source has 1/32 of fp32; NVIDIA's GA102 does 1/64"},
    {"A10G", "the source has 1/32 of fp32; NVIDIA's GA102 does 1/64"},
};
const std::map<std::string, std::string> kFp32Elsewhere{
    {"B200-SXM", "rounded up to 80 by NVIDIA; 148 * 256 * 1.965 GHz are 74.5"},
};
const std::map<std::string, std::string> kFp16Elsewhere{
    {"A30", "the source has the fp32 rate; the chip of the A100 does four times that"},
};
const std::map<std::string, std::string> kInt8Elsewhere{
    {"H100-PCIE-80GB", "published for the tensor clock of fp16"},
    {"H100-SXM5-80GB", "published for the tensor clock of fp16"},
    {"H100-NVL-94GB", "published for the tensor clock of fp16"},
    {"H200-SXM", "published for the tensor clock of fp16"},
    {"H200-NVL", "published for the tensor clock of fp16"},
    {"B200-SXM", "published for the tensor clock of fp16"},
    {"RTX 2080 Ti", "published for the Founders Edition's 1635 MHz, all else for 1545 MHz"},
};
const std::map<std::string, std::string> kBandwidthElsewhere{
    {"K80 (board)", "two dies"},
    {"B200-SXM", "published rounded, 8000"},
    {"H200-SXM", "published rounded, 4800 of 4917"},
};

void expect_rate(const GpuSpec& spec, const char* what, const std::optional<double>& known, double rate,
                 const std::map<std::string, std::string>& exceptions, double tolerance) {
  if (!known || !spec.boost_clock_mhz || rate == 0) return;
  const double derived = spec.sm_count * rate * *spec.boost_clock_mhz / 1e6;
  const bool agrees = fraction_off(*known, derived) <= tolerance;
  EXPECT_NE(agrees, exceptions.contains(spec.gpu))
      << spec.gpu << " " << what << ": " << *known << " published, " << derived << " derived";
}

TEST(GpuSpecs, PublishedFiguresFollowFromProcessorsAndClock) {
  constexpr double kRounding = 0.015;
  constexpr double kCoarseRounding = 0.07;  // figures such as 0.08 have one digit
  for (const GpuSpec& spec : gpu_specs()) {
    const SmRates* rates = sm_rates(spec.compute_capability);
    ASSERT_NE(rates, nullptr) << spec.gpu;
    const double half = has_half_rate_fp32_accumulate(spec.nvml_names.front(), spec.compute_capability) ? 0.5 : 1;
    expect_rate(spec, "fp32", spec.fp32_tflop_per_s, rates->fp32, kFp32Elsewhere, kRounding);
    expect_rate(spec, "fp64", spec.fp64_tflop_per_s, rates->fp64, kFp64Elsewhere, kCoarseRounding);
    expect_rate(spec, "fp16", spec.fp16_tflop_per_s, rates->fp16, kFp16Elsewhere, 0.12);
    expect_rate(spec, "fp16 tensor", spec.fp16_tensor_tflop_per_s, half * rates->fp16_tensor, kFp16TensorElsewhere,
                kRounding);
    expect_rate(
        spec, "int8", spec.int8_tensor_tflop_per_s, rates->int8_tensor,
        spec.compute_capability >= "9.0" || spec.compute_capability.size() > 3 ? kFp16TensorElsewhere : kInt8Elsewhere,
        kRounding);
    if (spec.tf32_tensor_tflop_per_s) {
      EXPECT_LT(fraction_off(*spec.tf32_tensor_tflop_per_s, *spec.fp16_tensor_tflop_per_s / 2), kRounding) << spec.gpu;
    }
    if (spec.nvml_max_memory_clock_mhz && spec.memory_bus_bits && !kBandwidthElsewhere.contains(spec.gpu)) {
      const double derived = 2 * *spec.nvml_max_memory_clock_mhz * *spec.memory_bus_bits / 8 / 1e3;
      EXPECT_LT(fraction_off(*spec.bandwidth_gb_per_s, derived), kRounding) << spec.gpu << " " << derived;
    }
  }
}

TEST(DerivedPeak, OfAnUnknownCardFollowsFromItsArchitecture) {
  // A V100's facts under another name.
  const TheoreticalPeak v100 = derived_peak({"Unknown", "7.0", 80, 1530.0, 877.0, 4096.0});
  EXPECT_NEAR(v100.tflop_per_s.at(DType::fp32), 15.667, 0.001);
  EXPECT_NEAR(v100.tflop_per_s.at(DType::fp16), 125.34, 0.01);
  EXPECT_NEAR(*v100.bandwidth_gb_per_s, 898.05, 0.1);
  // Ada GeForce: 60 * 512 * 2.5 GHz with fp32 accumulation, twice that without.
  const TheoreticalPeak ada = derived_peak({"NVIDIA GeForce RTX 4070", "8.9", 60, 2500.0, {}, {}});
  EXPECT_NEAR(ada.tflop_per_s.at(DType::fp16), 76.8, 0.01);
  EXPECT_NEAR(ada.tflop_per_s.at(DType::fp16_acc16), 153.6, 0.01);
  EXPECT_NEAR(ada.tflop_per_s.at(DType::int8), 307.2, 0.1);
  EXPECT_FALSE(ada.bandwidth_gb_per_s);
  EXPECT_TRUE(derived_peak({"NVIDIA Future", "13.0", 100, 3000.0, {}, {}}).tflop_per_s.empty());
  EXPECT_TRUE(derived_peak({"no clock", "8.0", 100, {}, {}, {}}).tflop_per_s.empty());
}

Device cuda_device(const char* name, int sm_count, const char* capability, std::int64_t memory_mib) {
  Device device;
  device.kind = DeviceKind::cuda;
  device.name = name;
  device.sm_count = sm_count;
  device.compute_capability = capability;
  device.memory_bytes = memory_mib << 20;
  return device;
}

TEST(DescribeGpu, FillsModelVariantAndPeaks) {
  Device v100 = cuda_device("Tesla V100-SXM2-16GB", 80, "7.0", 16160);
  EXPECT_TRUE(describe_gpu(v100, std::nullopt, std::nullopt).empty());
  EXPECT_EQ(v100.model, "Tesla V100");
  EXPECT_EQ(v100.variant, "SXM2");
  EXPECT_EQ(v100.theoretical->bandwidth_gb_per_s, 898);
}

TEST(DescribeGpu, AMigSliceHasItsShare) {
  Device slice = cuda_device("NVIDIA A100-SXM4-40GB MIG 2g.10gb", 28, "8.0", 9856);
  describe_gpu(slice, std::nullopt, std::nullopt);
  EXPECT_EQ(slice.mig, "2g.10gb");
  EXPECT_NEAR(slice.theoretical->tflop_per_s.at(DType::fp16), 312.0 * 28 / 108, 0.01);
  EXPECT_NEAR(*slice.theoretical->bandwidth_gb_per_s, 1560.0 * 2 / 8, 0.1);
}

TEST(DescribeGpu, AnUnknownCardIsExplained) {
  Device card = cuda_device("NVIDIA Titan Z9", 100, "14.2", 65536);
  const auto unknown = describe_gpu(card, std::nullopt, std::nullopt);
  EXPECT_FALSE(card.model);
  EXPECT_FALSE(card.theoretical);
  ASSERT_EQ(unknown.size(), 3u);
  EXPECT_EQ(unknown[0].path, "/devices/0/model");
  EXPECT_EQ(unknown[2].path, "/devices/0/theoretical");
  for (const Unknown& entry : unknown) EXPECT_LE(entry.reason.size(), 256u);
}

TEST(DtypesOf, FollowTheSupportMatrix) {
  const auto has = [](const char* capability, DType dtype) {
    const auto dtypes = dtypes_of(capability);
    return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
  };
  EXPECT_EQ(dtypes_of("3.7"), (std::vector<DType>{DType::fp32, DType::fp64}));
  EXPECT_TRUE(has("6.0", DType::fp16_acc16));
  EXPECT_FALSE(has("6.1", DType::fp16_acc16)) << "1/64 of the fp32 rate";
  EXPECT_TRUE(has("6.1", DType::int8));
  EXPECT_FALSE(has("6.0", DType::int8));
  EXPECT_FALSE(has("7.5", DType::bf16));
  EXPECT_TRUE(has("8.0", DType::tf32));
  EXPECT_FALSE(has("8.6", DType::fp8_e4m3));
  EXPECT_TRUE(has("8.9", DType::fp8_e4m3));
  EXPECT_FALSE(has("9.0", DType::fp4));
  EXPECT_TRUE(has("10.0", DType::fp4));
  EXPECT_TRUE(has("13.0", DType::fp4)) << "what the newest known one has";
  EXPECT_TRUE(dtypes_of("").empty());
  EXPECT_TRUE(dtypes_of("seven").empty());
}

TEST(CapabilityNumber, ReadsMajorAndMinor) {
  EXPECT_EQ(capability_number("7.5"), 75);
  EXPECT_EQ(capability_number("12.0"), 120);
  for (const char* text : {"", "7", "7.", ".5", "7.55", "7.5x", "-7.5", "0.5"})
    EXPECT_FALSE(capability_number(text)) << text;
}

TEST(HighestSmClock, IsTheDriversElseAdvertisedElseFollowsFromThePeak) {
  GpuSpec spec;
  spec.compute_capability = "9.0";
  spec.sm_count = 100;
  EXPECT_FALSE(highest_sm_clock_mhz(spec));
  spec.fp32_tflop_per_s = 51.2;  // 100 multiprocessors of 128 lanes
  EXPECT_DOUBLE_EQ(*highest_sm_clock_mhz(spec), 2000);
  spec.boost_clock_mhz = 1900;
  EXPECT_EQ(highest_sm_clock_mhz(spec), 1900);
  spec.nvml_max_sm_clock_mhz = 1950;
  EXPECT_EQ(highest_sm_clock_mhz(spec), 1950);
}

}  // namespace
}  // namespace gpuassay
