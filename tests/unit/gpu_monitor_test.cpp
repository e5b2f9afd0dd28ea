#include "agent/backends/gpu_monitor.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

GpuReading reading(double at_s, double sm_clock_mhz, double power_w, double temperature_c, std::uint64_t reasons) {
  return {at_s, sm_clock_mhz, 877, power_w, temperature_c, reasons};
}

TEST(GpuMonitor, NoReadingsNoTelemetry) { EXPECT_FALSE(summarize_readings({})); }

TEST(GpuMonitor, MediansLowestClockHighestTemperature) {
  const auto telemetry = summarize_readings(
      {reading(0.0, 1530, 200, 60, 0), reading(0.1, 1380, 250, 70, 0), reading(0.2, 1500, 300, 65, 0)});
  ASSERT_TRUE(telemetry);
  EXPECT_EQ(telemetry->sm_clock_mhz, 1500);
  EXPECT_EQ(telemetry->sm_clock_min_mhz, 1380);
  EXPECT_EQ(telemetry->memory_clock_mhz, 877);
  EXPECT_EQ(telemetry->power_w, 250);
  EXPECT_EQ(telemetry->temperature_c, 70);
  EXPECT_TRUE(telemetry->event_reasons_s->empty());
  EXPECT_EQ(telemetry->throttled, false);
}

TEST(GpuMonitor, EveryReasonHasTheTimeUntilTheNextReading) {
  const auto telemetry =
      summarize_readings({reading(0.0, 1500, 300, 80, nvml::kReasonSwPowerCap | nvml::kReasonHwSlowdown),
                          reading(0.5, 1400, 300, 80, nvml::kReasonSwPowerCap), reading(0.75, 1500, 300, 80, 0)});
  ASSERT_TRUE(telemetry);
  EXPECT_EQ(telemetry->event_reasons_s, (std::map<std::string, double>{{"hw_slowdown", 0.5}, {"sw_power_cap", 0.75}}));
  EXPECT_EQ(telemetry->throttled, true);
}

TEST(GpuMonitor, IdleAndChosenClocksAreNoThrottling) {
  const auto telemetry = summarize_readings({reading(0.0, 300, 50, 40, nvml::kReasonGpuIdle),
                                             reading(0.1, 1300, 200, 50, nvml::kReasonApplicationsClocksSetting)});
  ASSERT_TRUE(telemetry);
  EXPECT_EQ(telemetry->throttled, false);
  EXPECT_EQ(telemetry->sm_clock_min_mhz, 1300) << "the idle clock before the load is no clock under load";
}

TEST(GpuMonitor, WhatNvmlDoesNotTellStaysEmpty) {
  const auto telemetry = summarize_readings({GpuReading{}, GpuReading{}});
  ASSERT_TRUE(telemetry);
  EXPECT_FALSE(telemetry->sm_clock_mhz);
  EXPECT_FALSE(telemetry->power_w);
  EXPECT_FALSE(telemetry->event_reasons_s);
  EXPECT_FALSE(telemetry->throttled) << "unknown is not `not throttled`";
}

GpuReading with_energy(double at_s, double power_w, double energy_j) {
  GpuReading at = reading(at_s, 1500, power_w, 60, 0);
  at.energy_j = energy_j;
  return at;
}

TEST(GpuMonitor, TheEnergyCounterGivesTheMeanPower) {
  const auto telemetry =
      summarize_readings({with_energy(0, 300, 1000), with_energy(1, 200, 1260), with_energy(2, 300, 1520)});
  ASSERT_TRUE(telemetry);
  EXPECT_EQ(telemetry->energy_j, 520);
  EXPECT_EQ(telemetry->mean_power_w, 260);
  EXPECT_EQ(telemetry->power_w, 300) << "the median of the readings";
}

TEST(GpuMonitor, WithoutACounterThatCanBeBelievedItIsTheReadingsMean) {
  const auto short_time = summarize_readings({with_energy(0, 300, 1000), with_energy(0.2, 200, 1260)});
  EXPECT_FALSE(short_time->energy_j) << "it is refreshed ten times a second";
  EXPECT_EQ(short_time->mean_power_w, 250);
  const auto of_all_boards = summarize_readings({with_energy(0, 300, 1000), with_energy(1, 300, 3400)});
  EXPECT_FALSE(of_all_boards->energy_j);
  EXPECT_EQ(of_all_boards->mean_power_w, 300);
  const auto none = summarize_readings({reading(0, 1500, 300, 60, 0), reading(1, 1500, 200, 60, 0)});
  EXPECT_EQ(none->mean_power_w, 250);
}

}  // namespace
}  // namespace gpuassay
