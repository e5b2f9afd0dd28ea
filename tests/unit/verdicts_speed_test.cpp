#include "agent/verdicts_speed.h"

#include <gtest/gtest.h>

#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

const GemmParams kSquareGemm{DType::fp16, 4096, 4096, 4096, 1};
const BandwidthParams kDeviceTriad{BandwidthKernel::triad, MemoryLevel::dram, 1 << 28};

Measurement reaching(const OperationParams& params, int device, double value, double share) {
  Measurement m = test::ok_measurement(params, {1e6, 1e6, 1e6}, device);
  m.metric = Metric{"achieved", value, "of it"};
  m.fraction_of_peak = share;
  return m;
}

Result two_cards(double second_triad, double second_share) {
  Result result;
  for (int index = 0; index < 2; ++index) {
    Device device;
    device.index = index;
    device.kind = DeviceKind::cuda;
    device.name = "Tesla T4";
    device.sm_count = 40;
    result.devices.push_back(device);
  }
  result.measurements = {reaching(kSquareGemm, 0, 25, 0.38), reaching(kDeviceTriad, 0, 240, 0.75),
                         reaching(kSquareGemm, 1, 24, 0.37), reaching(kDeviceTriad, 1, second_triad, second_share)};
  return result;
}

std::vector<std::string> codes_of(const Result& result) {
  std::vector<Verdict> verdicts;
  judge_speed(result, verdicts);
  std::vector<std::string> codes;
  codes.reserve(verdicts.size());
  for (const Verdict& verdict : verdicts) codes.push_back(verdict.code + " " + std::to_string(verdict.device.value()));
  return codes;
}

TEST(SpeedVerdicts, HealthyCardsAreNotAccused) { EXPECT_TRUE(codes_of(two_cards(228, 0.71)).empty()); }

TEST(SpeedVerdicts, FarBelowItsPeakOrItsTwinIsSaid) {
  EXPECT_EQ(codes_of(two_cards(180, 0.56)), (std::vector<std::string>{"slower_than_twin 1"}));
  EXPECT_EQ(codes_of(two_cards(100, 0.31)), (std::vector<std::string>{"below_peak 1", "slower_than_twin 1"}));
}

TEST(SpeedVerdicts, OtherKindsAndUnknownPeaksSayNothing) {
  Result result = two_cards(100, 0.31);
  result.devices[1].name = "Tesla P4";
  result.measurements[3].fraction_of_peak.reset();
  EXPECT_TRUE(codes_of(result).empty());
}

TEST(SpeedVerdicts, WhatIsLeftUnderLoadIsSaidWhereItIsLittle) {
  Result result = two_cards(228, 0.71);
  Measurement sustained = reaching(kSquareGemm, 1, 21, 0.33);
  sustained.regime = Regime::sustained;
  sustained.seconds_under_load = 7;
  result.measurements.push_back(sustained);
  EXPECT_TRUE(codes_of(result).empty()) << "21 of 24";
  result.measurements.back().metric->value = 17;
  EXPECT_EQ(codes_of(result), (std::vector<std::string>{"falls_under_load 1"}));
  result.measurements.back().status = CaseStatus::failed;
  EXPECT_TRUE(codes_of(result).empty());
}

TEST(SpeedVerdicts, AVirtualGpuSharesItsPeak) {
  Result result = two_cards(100, 0.31);
  result.devices[0].vgpu = result.devices[1].vgpu = "T4-16C";
  EXPECT_EQ(codes_of(result), (std::vector<std::string>{"slower_than_twin 1"}));
}

}  // namespace
}  // namespace gpuassay
