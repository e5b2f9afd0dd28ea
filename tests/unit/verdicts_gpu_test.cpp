#include "agent/verdicts_gpu.h"

#include <gtest/gtest.h>

#include "agent/verdicts.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

/// A watched case of ten seconds.
Measurement watched(const OperationParams& params, std::map<std::string, double> reasons_s, int device = 0) {
  Measurement m = test::ok_measurement(params, {2e6, 2e6, 2e6}, device);
  m.seconds_under_load = 10;
  m.median_ns = 2e6;
  m.noise = 0;
  GpuTelemetry gpu;
  gpu.sm_clock_min_mhz = 900;
  gpu.event_reasons_s = std::move(reasons_s);
  m.telemetry = Telemetry{0.0};
  m.telemetry->gpu = gpu;
  return m;
}

Measurement skipped(const OperationParams& params) {
  Measurement m = test::ok_measurement(params, {});
  m.status = CaseStatus::skipped;
  m.reason = "unsupported: there is no cuBLAS for this GPU";
  return m;
}

const GemmParams kGemm{DType::fp16, 4096, 4096, 4096, 1};
const ConvParams kConv{DType::fp16, ConvDirection::forward, 64, 64, 56, 56, 64, 3, 3, 1, 1};
const BandwidthParams kTriad{BandwidthKernel::triad, MemoryLevel::dram, 1 << 28};

Device t4() {
  Device device;
  device.index = 0;
  device.kind = DeviceKind::cuda;
  device.name = "Tesla T4";
  device.compute_capability = "7.5";
  device.pci = Pci{1, 16, 3, 16};
  device.limits = DeviceLimits{70, 70, 1590, 5001};
  return device;
}

Result healthy() {
  Result result;
  result.devices = {t4()};
  result.libraries = {{"cublas", "12.4.5", "python", "cuda", std::nullopt},
                      {"cudnn", "9.1.0", "python", "cuda", std::nullopt}};
  result.measurements = {watched(kGemm, {{"gpu_idle", 0.2}, {"applications_clocks_setting", 10}}), watched(kConv, {}),
                         watched(kTriad, {{"sw_power_cap", 0.5}})};
  return result;
}

std::vector<Verdict> verdicts_of(const Result& result) {
  std::vector<Verdict> verdicts;
  judge_gpus(result, verdicts);
  return verdicts;
}

TEST(GpuVerdicts, NoneForAHealthyGpu) {
  EXPECT_TRUE(verdicts_of(healthy()).empty());
  EXPECT_TRUE(judge(healthy()).empty());
}

TEST(GpuVerdicts, HeatIsNamedWithItsShareOfTheTime) {
  Result result = healthy();
  result.measurements[0] = watched(kGemm, {{"hw_thermal_slowdown", 6}, {"hw_slowdown", 3}, {"sync_boost", 10}});
  const auto verdicts = judge(result);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].code, "throttled");
  EXPECT_EQ(verdicts[0].device, 0);
  EXPECT_EQ(verdicts[0].message,
            "GPU 0 was slowed down under load (hw_slowdown 10 %, hw_thermal_slowdown 20 % of the time, SM clock down "
            "to 900 of 1590 MHz)");
  EXPECT_FALSE(verdicts[0].remedy.empty());
}

TEST(GpuVerdicts, ALoweredPowerLimitIsToldFromTheBoardsOwn) {
  Result result = healthy();
  for (Measurement& m : result.measurements) m.telemetry->gpu->event_reasons_s = {{"sw_power_cap", 8}};
  auto verdicts = verdicts_of(result);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].code, "power_capped");
  EXPECT_NE(verdicts[0].message.find("limit of 70 W (sw_power_cap 80 % of the time"), std::string::npos);
  EXPECT_NE(verdicts[0].remedy.find("nothing to repair"), std::string::npos);
  result.devices[0].limits->power_limit_w = 60;
  verdicts = verdicts_of(result);
  EXPECT_NE(verdicts[0].remedy.find("nvidia-smi -pl 70"), std::string::npos);
  result.devices[0].limits.reset();
  EXPECT_NE(verdicts_of(result)[0].message.find("power limit (sw_power_cap"), std::string::npos);
}

TEST(GpuVerdicts, ReadingsOfAnotherDeviceOrNoneAreNoEvidence) {
  Result result = healthy();
  result.measurements.push_back(watched(kGemm, {{"hw_thermal_slowdown", 10}}, 7));
  EXPECT_TRUE(verdicts_of(result).empty());
  for (Measurement& m : result.measurements) m.telemetry->gpu->event_reasons_s.reset();
  EXPECT_TRUE(verdicts_of(result).empty());
}

TEST(GpuVerdicts, FewerLanesAreSaidALowerGenerationAtRestIsNot) {
  Result result = healthy();
  result.devices[0].pci = Pci{1, 8, 3, 16};
  const auto verdicts = verdicts_of(result);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].code, "slow_link");
  EXPECT_NE(verdicts[0].message.find("8 of its 16"), std::string::npos);
  result.devices[0].pci = Pci{1, std::nullopt, 3, 16};
  EXPECT_TRUE(verdicts_of(result).empty());
}

TEST(GpuVerdicts, ALowerGenerationUnderLoadIsSaid) {
  Result result = healthy();
  result.devices[0].pci = Pci{2, 16, 4, 16};
  const BandwidthParams up{BandwidthKernel::h2d, MemoryLevel::pinned, 1 << 20};
  result.measurements.push_back(watched(up, {}));
  EXPECT_TRUE(verdicts_of(result).empty()) << "the link was not looked at while it was used";
  result.measurements.back().telemetry->gpu->pcie_generation = 2;
  const auto verdicts = verdicts_of(result);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_NE(verdicts[0].message.find("generation 2 of 4 under load"), std::string::npos);
}

TEST(GpuVerdicts, AWorkloadThatNoLibraryDoesIsNamed) {
  Result result = healthy();
  result.libraries = {{"cublas", std::nullopt, "absent", std::nullopt, "none"},
                      {"cudnn", "9.19.0", "python", std::nullopt, "no kernels"}};
  result.measurements = {skipped(kGemm), skipped(kGemm), skipped(kConv), watched(kTriad, {})};
  auto verdicts = verdicts_of(result);
  ASSERT_EQ(verdicts.size(), 2u);
  EXPECT_EQ(verdicts[0].code, "library_missing");
  EXPECT_EQ(verdicts[0].message, "no matrix multiplication was measured on GPU 0: no cuBLAS here fits it");
  EXPECT_EQ(verdicts[0].remedy, "gpuassay doctor names the package");
  EXPECT_NE(verdicts[1].message.find("cuDNN"), std::string::npos);
  // Cases that a present library cannot do are no missing library, nor is a workload that was not planned.
  result.libraries[0].chosen_for = "cuda";
  EXPECT_EQ(verdicts_of(result).size(), 1u);
  result.measurements = {watched(kTriad, {})};
  EXPECT_TRUE(verdicts_of(result).empty());
}

TEST(GpuVerdicts, FiguresThatSpreadAtFullClockMeanANeighbour) {
  Result result = healthy();
  for (const std::int64_t rows : {1, 2, 3, 4}) {
    result.measurements.push_back(watched(GemmParams{DType::fp16, 4096 * rows, 4096, 4096, 1}, {}));
    result.measurements.back().samples_ns = {2e6, 2e6, 4e6};
  }
  const auto verdicts = verdicts_of(result);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].code, "shared_gpu");
  EXPECT_NE(verdicts[0].message.find("4 of 7 long operations of GPU 0"), std::string::npos) << verdicts[0].message;
  result.measurements[0] = watched(kGemm, {{"hw_thermal_slowdown", 10}});
  EXPECT_EQ(verdicts_of(result).at(0).code, "throttled") << "heat explains it";
  result.measurements.clear();
  EXPECT_TRUE(verdicts_of(result).empty());
}

TEST(GpuVerdicts, ASlotOfAnOlderGenerationThanTheBoardIsSaid) {
  Result result = healthy();
  result.devices[0].name = "NVIDIA H100 80GB HBM3";
  result.devices[0].pci = Pci{4, 16, 4, 16};
  const auto verdicts = verdicts_of(result);
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].code, "slow_link");
  EXPECT_NE(verdicts[0].message.find("a slot of PCIe generation 4, where the board has 5"), std::string::npos);
}

}  // namespace
}  // namespace gpuassay
