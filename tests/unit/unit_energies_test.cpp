#include "core/unit_energies.h"

#include <gtest/gtest.h>

#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

Device gpu(int index) {
  Device device;
  device.index = index;
  device.kind = DeviceKind::cuda;
  return device;
}

Measurement loaded(int device, Regime regime, std::optional<double> power_w, std::optional<double> mean_w = {}) {
  Measurement m = test::ok_measurement(GemmParams{DType::fp16, 4096, 4096, 4096, 1}, {1e6}, device);
  m.regime = regime;
  GpuTelemetry telemetry;
  telemetry.power_w = power_w;
  telemetry.mean_power_w = mean_w;
  m.telemetry = Telemetry{};
  m.telemetry->gpu = telemetry;
  return m;
}

Score predicted(double images_per_s) {
  Score score;
  WorkloadScore workload;
  workload.name = "resnet50_train";
  workload.precision = "fp16";
  workload.samples_per_s = images_per_s;
  score.workloads = {workload};
  return score;
}

TEST(UnitEnergies, PowerUnderLoadOverThroughput) {
  const auto energies = unit_energies(predicted(500), {gpu(0)}, {loaded(0, Regime::sustained, 240, 250)});
  ASSERT_EQ(energies.size(), 1u);
  EXPECT_EQ(energies[0].unit, "images");
  EXPECT_EQ(energies[0].joules, 0.5) << "250 W by the counter over 500 images/s";
}

TEST(UnitEnergies, EveryGpuCountsAtItsHighestLoad) {
  const std::vector<Measurement> both{loaded(0, Regime::sustained, 100), loaded(0, Regime::sustained, 300),
                                      loaded(1, Regime::sustained, 200), loaded(1, Regime::burst, 900)};
  EXPECT_EQ(power_under_load_w({gpu(0), gpu(1)}, both), 500);
}

TEST(UnitEnergies, UnknownPowerIsNoPower) {
  EXPECT_FALSE(power_under_load_w({gpu(0)}, {loaded(0, Regime::burst, 300)})) << "a burst has not settled";
  EXPECT_FALSE(power_under_load_w({gpu(0), gpu(1)}, {loaded(0, Regime::sustained, 300)})) << "of one GPU of two";
  const auto energies = unit_energies(predicted(500), {gpu(0)}, {loaded(0, Regime::sustained, {})});
  ASSERT_EQ(energies.size(), 1u);
  EXPECT_FALSE(energies[0].joules);
}

TEST(UnitEnergies, ACpuHasNone) { EXPECT_TRUE(unit_energies(predicted(500), {test::cpu_device()}, {}).empty()); }

}  // namespace
}  // namespace gpuassay
