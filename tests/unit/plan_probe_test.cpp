#include "agent/plan_probe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/operations.h"

namespace gpuassay {
namespace {

const OperationParams kProbeHalf = GemmParams{DType::fp16, 8192, 8192, 8192, 1};
const OperationParams kEight = GemmParams{DType::fp8_e4m3, 8192, 8192, 8192, 1};
const OperationParams kProbeTriad = BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1 << 30};
const OperationParams kToDevice = BandwidthParams{BandwidthKernel::h2d, MemoryLevel::pinned, 1 << 27};
const OperationParams kFromDevice = BandwidthParams{BandwidthKernel::d2h, MemoryLevel::pinned, 1 << 27};
const OperationParams kUnpinned = BandwidthParams{BandwidthKernel::h2d, MemoryLevel::pageable, 1 << 27};
const OperationParams kOtherGemm = GemmParams{DType::fp16, 2048, 14336, 4096, 1};

Device gpu(int index) {
  Device device;
  device.index = index;
  device.kind = DeviceKind::cuda;
  return device;
}

std::vector<Case> planned(int devices) {
  std::vector<Case> cases;
  const std::vector<OperationParams> all{kOtherGemm, kProbeHalf, kEight,     kProbeTriad,
                                         kUnpinned,  kToDevice,  kFromDevice};
  for (int device = 0; device < devices; ++device) {
    for (const OperationParams& params : all) cases.push_back({case_id(params), device, params, Regime::burst, {}});
  }
  return cases;
}

Measurement measured(const OperationParams& params, double value, CaseStatus status = CaseStatus::ok) {
  Measurement measurement;
  measurement.id = case_id(params);
  measurement.params = params;
  measurement.status = status;
  if (status == CaseStatus::ok) measurement.metric = Metric{"achieved_tflop_per_s", value, "TFLOP/s"};
  measurement.samples_ns = {1e6};
  return measurement;
}

std::vector<std::string> ids_of(const std::vector<Case>& cases) {
  std::vector<std::string> ids;
  ids.reserve(cases.size());
  for (const Case& each : cases) ids.push_back(each.id);
  return ids;
}

TEST(PlanProbe, WithoutARunThePlansFirstOfEachKind) {
  const std::vector<Case> choice = probe_choice(planned(1), {gpu(0)}, nullptr);
  EXPECT_EQ(ids_of(choice), (std::vector<std::string>{"gemm/fp16/m8192n8192k8192", "bandwidth/triad/dram",
                                                      "bandwidth/h2d/pinned", "bandwidth/d2h/pinned"}));
  for (const Case& each : choice) {
    EXPECT_TRUE(each.gpu_telemetry);
    EXPECT_EQ(each.regime, Regime::burst);
    EXPECT_LE(3 * each.limits.max_time_ns, 2'001'000'000);
  }
}

TEST(PlanProbe, WithARunTheFastestProductThatItVerified) {
  Result earlier;
  earlier.measurements = {measured(kProbeHalf, 700), measured(kEight, 1300),
                          measured(GemmParams{DType::int8, 8192, 8192, 8192, 1}, 0, CaseStatus::wrong_result),
                          measured(kOtherGemm, 2000)};
  EXPECT_EQ(probe_choice(planned(1), {gpu(0)}, &earlier).front().id, "gemm/fp8_e4m3/m8192n8192k8192");
  // Under load it is another figure.
  earlier.measurements[1].regime = Regime::sustained;
  EXPECT_EQ(probe_choice(planned(1), {gpu(0)}, &earlier).front().id, "gemm/fp16/m8192n8192k8192");
}

TEST(PlanProbe, AProbeIsOfOneDeviceWithOneTransferInRandomOrder) {
  const std::vector<Case> choice = probe_choice(planned(3), {gpu(0), gpu(1), gpu(2)}, nullptr);
  unsigned state = 1;
  const DrawBelow below = [&](std::size_t limit) { return (state = state * 1103515245 + 12345) / 65536 % limit; };
  std::set<int> devices;
  std::set<std::string> firsts;
  for (int i = 0; i < 200; ++i) {
    const std::vector<Case> probe = draw_probe(choice, below);
    ASSERT_EQ(probe.size(), 3U);
    std::set<Workload> kinds;
    for (const Case& each : probe) {
      EXPECT_EQ(each.device, probe.front().device);
      kinds.insert(workload_of(each.params));
    }
    EXPECT_EQ(kinds.size(), 2U);
    devices.insert(probe.front().device.value());
    firsts.insert(probe.front().id);
  }
  EXPECT_EQ(devices.size(), 3U);
  EXPECT_EQ(firsts.size(), 4U);
}

TEST(PlanProbe, ACpuHasNoTransfers) {
  Device cpu;
  const std::vector<Case> choice =
      probe_choice({{"g", 0, kProbeHalf, Regime::burst, {}}, {"t", 0, kProbeTriad, Regime::burst, {}}}, {cpu}, nullptr);
  EXPECT_EQ(choice.size(), 2U);
  EXPECT_EQ(draw_probe(choice, [](std::size_t) { return 0; }).size(), 2U);
}

TEST(PlanProbe, WhatARunSaysOfTheSameCase) {
  Result earlier;
  earlier.measurements = {measured(kProbeTriad, 0, CaseStatus::failed), measured(kProbeHalf, 700)};
  const std::vector<Case> choice = probe_choice(planned(1), {gpu(0)}, &earlier);
  EXPECT_EQ(same_measurement(earlier, choice[0]), &earlier.measurements[1]);
  EXPECT_EQ(same_measurement(earlier, choice[1]), nullptr);
}

}  // namespace
}  // namespace gpuassay
