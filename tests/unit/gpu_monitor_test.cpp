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

}  // namespace
}  // namespace gpuassay
