// What memory holds, and what a unit of work costs.
#include "core/fits.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/unit_costs.h"
#include "core/workload_reader.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

Device card(std::int64_t gib, const char* capability) {
  Device device = test::cpu_device();
  device.kind = DeviceKind::cuda;
  device.memory_bytes = gib << 30;
  device.compute_capability = capability;
  return device;
}

const Fit& fit_named(const std::vector<Fit>& fits, const std::string& model, const std::string& precision,
                     std::int64_t context) {
  return *std::find_if(fits.begin(), fits.end(), [&](const Fit& each) {
    return each.model == model && each.precision == precision && each.context == context;
  });
}

TEST(Fits, EightBillionWeightsIn16BitsNeedMoreThan12GB) {
  const auto small = fits_of({card(16, "7.5")});
  EXPECT_EQ(small.size(), 6U) << "three models, two contexts, no fp8";
  EXPECT_TRUE(fit_named(small, "llama-3.2-1b", "fp16", 32768).fits);
  // 8.03e9 weights and 32 layers with 8 heads of 128 keys and values: 16.06 GB and 0.54 GB, of 16.68 GB; with 32,768
  // tokens 4.3 GB.
  EXPECT_TRUE(fit_named(small, "llama-3.1-8b", "fp16", 4096).fits);
  EXPECT_FALSE(fit_named(small, "llama-3.1-8b", "fp16", 32768).fits);
  EXPECT_FALSE(fit_named(fits_of({card(12, "8.6")}), "llama-3.1-8b", "fp16", 4096).fits);
  EXPECT_EQ(fit_named(fits_of({card(24, "8.6")}), "llama-3.1-8b", "fp16", 32768).gpus_needed, 1);
  const auto large = fits_of({card(80, "9.0")});
  EXPECT_EQ(large.size(), 12U);
  EXPECT_FALSE(fit_named(large, "llama-3.1-70b", "fp16", 4096).fits);
  EXPECT_EQ(fit_named(large, "llama-3.1-70b", "fp16", 4096).gpus_needed, 2) << "142.5 GB";
  EXPECT_TRUE(fit_named(large, "llama-3.1-70b", "fp8_e4m3", 4096).fits);
}

TEST(Fits, TheSmallestDeviceDecides) {
  const auto both = fits_of({card(80, "8.0"), card(16, "7.5")});
  EXPECT_FALSE(fit_named(both, "llama-3.1-8b", "fp16", 32768).fits);
  Device unknown = card(16, "7.5");
  unknown.memory_bytes.reset();
  EXPECT_TRUE(fits_of({unknown}).empty());
  EXPECT_TRUE(fits_of({}).empty());
}

TEST(Fits, ACpuHasTheMemoryOfItsMachine) {
  const auto fits = fits_of({test::cpu_device()});  // 25 GB
  EXPECT_TRUE(fit_named(fits, "llama-3.1-8b", "bf16", 4096).fits);
  EXPECT_EQ(fit_named(fits, "llama-3.1-70b", "bf16", 4096).gpus_needed, 6);
}

TEST(DevicesNeeded, IsUnknownWithoutMemory) {
  Device device = card(80, "9.0");
  EXPECT_EQ(devices_needed(*find_workload("large_70b_prefill"), 2, device), 2);
  device.memory_bytes = 1 << 20;
  EXPECT_FALSE(devices_needed(*find_workload("large_70b_prefill"), 2, device)) << "less than CUDA itself takes";
}

TEST(UnitCosts, AreDollarsForAMillionTokensOrAThousandImages) {
  Score score;
  const auto row = [](const char* name, const char* precision, std::optional<double> samples_per_s) {
    WorkloadScore workload;
    workload.name = name;
    workload.precision = precision;
    workload.samples_per_s = samples_per_s;
    return workload;
  };
  score.workloads = {row("resnet50_infer", "tf32", 1), row("resnet50_infer", "fp16", 1000),
                     row("llm_prefill", "fp16", 50), row("llm_decode_b1", "fp16", std::nullopt),
                     row("of_another_version", "fp16", 5)};
  const auto costs = unit_costs(score, "3.600000");
  ASSERT_EQ(costs.size(), 2U);
  EXPECT_EQ(costs[0].name, "resnet50_infer");
  EXPECT_EQ(costs[0].precision, "fp16");
  EXPECT_EQ(costs[0].unit, "thousand images");
  EXPECT_EQ(costs[0].usd, "0.001000");
  EXPECT_EQ(costs[1].unit, "million tokens");
  EXPECT_EQ(costs[1].usd, "20.000000");
  EXPECT_TRUE(unit_costs(score, std::nullopt).empty());
  EXPECT_TRUE(unit_costs(score, "0.000000").empty());
}

}  // namespace
}  // namespace gpuassay
