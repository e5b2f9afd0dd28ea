#include "agent/watch_book.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/plan_probe.h"
#include "agent/watch_report.h"
#include "core/normalize.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

const OperationParams kWatchedGemm = GemmParams{DType::fp16, 8192, 8192, 8192, 1};
const OperationParams kWatchedTriad = BandwidthParams{BandwidthKernel::triad, MemoryLevel::dram, 1 << 30};

/// One product of 1.0995e12 operations in so many ms: 10 ms are 110 TFLOP/s.
Measurement product(double ms, double clock_mhz, std::map<std::string, double> reasons = {}) {
  Measurement measurement;
  measurement.id = case_id(kWatchedGemm);
  measurement.params = kWatchedGemm;
  measurement.status = CaseStatus::ok;
  measurement.samples_ns = {ms * 1e6,     ms * 1.001e6, ms * 0.999e6, ms * 1.002e6, ms * 0.998e6,
                            ms * 1.003e6, ms * 0.997e6, ms * 1.004e6, ms * 0.996e6};
  measurement.telemetry = Telemetry{.steal_fraction = 0.01, .gpu = GpuTelemetry{}};
  measurement.telemetry->gpu->sm_clock_mhz = clock_mhz;
  measurement.telemetry->gpu->event_reasons_s = std::move(reasons);
  return normalize(measurement, nullptr);
}

Measurement not_ok(CaseStatus status, const std::string& reason) {
  Measurement measurement = product(10, 1500);
  measurement.status = status;
  measurement.metric.reset();
  measurement.reason = reason;
  return measurement;
}

Device a_gpu() {
  Device device;
  device.kind = DeviceKind::cuda;
  return device;
}

Result a_run() {
  Result run;
  run.run_id = "0190b5a4-7c1d-7b3e-9f00-000000000001";
  run.devices = {a_gpu()};
  run.measurements = {product(10, 1590)};
  return run;
}

class WatchBookTest : public ::testing::Test {
 protected:
  std::vector<WatchEvent> probe(const Measurement& measurement) {
    ProbeRecord record;
    record.number = ++number_;
    record.at = "2026-11-28T00:00:0" + std::to_string(number_) + ".000Z";
    record.took_s = 2;
    record.measurements = {measurement};
    return book_.take(std::move(record));
  }

  Result run_ = a_run();
  WatchBook book_{{{case_id(kWatchedGemm), 0, kWatchedGemm, Regime::burst, {}},
                   {case_id(kWatchedTriad), 0, kWatchedTriad, Regime::burst, {}}},
                  {a_gpu()},
                  &run_};
  std::size_t number_ = 0;
};

TEST_F(WatchBookTest, SaysWhatFellByHowMuchSinceWhenAndWhatTheGpuSaid) {
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(probe(product(15, 960, {{"hw_thermal_slowdown", 0.4}, {"gpu_idle", 0.1}})).empty());
  const std::vector<WatchEvent> events = probe(product(15, 960, {{"sw_power_cap", 0.1}}));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "slower");
  EXPECT_EQ(
      events[0].message,
      "GPU 0 gemm fp16 is down to 67 % of what the run 0190b5a4-7c1d-7b3e-9f00-000000000001 measured (73.3 of 110 "
      "TFLOP/s), in 6 probes in a row since 2026-11-28T00:00:01.000Z: SM clock 960 MHz, 1590 before; NVML names "
      "hw_thermal_slowdown, sw_power_cap");
  const nlohmann::json json = event_json(events[0]);
  EXPECT_NEAR(json["ratio"].get<double>(), 2.0 / 3, 1e-5);
  EXPECT_EQ(json["during"]["sm_clock_mhz"], 960);
  EXPECT_EQ(json["before"]["sm_clock_mhz"], 1590);
  EXPECT_EQ(json["during"]["event_reasons"], (nlohmann::json{"hw_thermal_slowdown", "sw_power_cap"}));
  EXPECT_EQ(json["against"], "earlier_run");
  EXPECT_EQ(watch_verdict(book_.figures()), "slower");
}

TEST_F(WatchBookTest, TheHypervisorsShareIsNamedWhereItIsWorthIt) {
  Measurement stolen = product(15, 1590);
  stolen.telemetry->steal_fraction = 0.31;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(probe(stolen).empty());
  const std::string message = probe(stolen).at(0).message;
  EXPECT_NE(message.find("NVML names no reason; the hypervisor gave 31 % of the CPU time to others"), std::string::npos)
      << message;
}

TEST_F(WatchBookTest, AsFastAgain) {
  for (int i = 0; i < 6; ++i) (void)probe(product(15, 960));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(probe(product(10, 1590)).empty());
  EXPECT_EQ(probe(product(10, 1590)).at(0).kind, "as_fast_again");
  EXPECT_EQ(watch_verdict(book_.figures()), "was_slower");
}

TEST_F(WatchBookTest, ADeviceThatFailsIsToldOnceAndWhenItIsBack) {
  EXPECT_EQ(probe(not_ok(CaseStatus::failed, "library_failed: cuInit gave 100")).at(0).message,
            "GPU 0 gemm fp16 cannot be measured: library_failed: cuInit gave 100");
  EXPECT_TRUE(probe(not_ok(CaseStatus::failed, "library_failed: cuInit gave 100")).empty());
  EXPECT_TRUE(probe(not_ok(CaseStatus::skipped, "interrupted: the run was asked to stop")).empty());
  EXPECT_EQ(probe(product(10, 1590)).at(0).kind, "measured_again");
  EXPECT_EQ(watch_verdict(book_.figures()), "too_few_probes");
}

TEST_F(WatchBookTest, WrongValuesAreNoFigure) {
  EXPECT_EQ(probe(not_ok(CaseStatus::wrong_result, "wrong_result: no")).at(0).kind, "wrong_result");
  EXPECT_TRUE(book_.figures()[0].watched.speeds().empty());
}

TEST_F(WatchBookTest, KeepsNoSamplesForDays) {
  (void)probe(product(10, 1590));
  EXPECT_TRUE(book_.probes()[0].measurements[0].samples_ns.empty());
  EXPECT_TRUE(book_.figures()[0].values[0].samples_ns.empty());
}

TEST(WatchReport, WhatProbingCosts) {
  WatchStart start;
  EXPECT_FALSE(probing_cost_usd(start, 100));
  start.price_usd_per_hour = "2.500000";
  EXPECT_EQ(probing_cost_usd(start, 864), "0.600000");
}

}  // namespace
}  // namespace gpuassay
