// What cannot be true is found by physics and arithmetic, and nothing else is.
#include "collector/plausibility.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <functional>

#include "core/gpu_peaks.h"
#include "core/normalize.h"
#include "core/operations.h"
#include "core/score.h"
#include "core/timestamp.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kNowMs = 1'795'000'000'000;  // 2026-11-18

Device v100() {
  Device device;
  device.kind = DeviceKind::cuda;
  device.name = "Tesla V100-SXM2-32GB";
  device.memory_bytes = std::int64_t{32510} << 20U;
  device.sm_count = 80;
  device.compute_capability = "7.0";
  describe_gpu(device, std::nullopt, std::nullopt);
  return device;
}

/// `m` as it says of itself, consistent with its samples.
Measurement said(const OperationParams& params, double tflop_or_gb_per_s) {
  const double work = std::max(flop_count(params) / 1e3, byte_count(params));  // 1 TFLOP/s is 1e3 FLOP per ns
  Measurement m = test::ok_measurement(params, std::vector<double>(8, work / tflop_or_gb_per_s));
  m.seconds_under_load = 0.5;
  return m;
}

/// A V100 that measured these, with everything that follows from them.
Result v100_with(std::vector<Measurement> measurements) {
  Result result = test::example_result();
  result.started_at = "2026-11-01T12:00:00.000Z";
  result.finished_at = "2026-11-01T12:01:00.500Z";
  result.devices = {v100()};
  result.measurements = normalize_all(std::move(measurements), result.devices);
  result.score = score_run(result.devices, result.measurements);
  return result;
}

std::string doubts(const Result& result, std::int64_t now_ms = kNowMs) {
  std::string text;
  for (const std::string& reason : implausible_parts(result, recompute(result), now_ms)) text += reason + "\n";
  return text;
}

void expect_doubt(const Result& result, std::string_view code) {
  const std::string told = doubts(result);
  EXPECT_TRUE(is_reason_of_document(told)) << told;
  EXPECT_EQ(told.substr(0, code.size()), code) << told;
}

const GemmParams kGemm{DType::fp16, 8192, 8192, 8192, 1};
const BandwidthParams kTriad{BandwidthKernel::triad, MemoryLevel::dram, std::int64_t{1} << 30U};

TEST(Plausibility, NothingSpeaksAgainstARealRun) {
  EXPECT_EQ(doubts(v100_with({said(kGemm, 105), said(kTriad, 830)})), "");
  Result cpu = test::example_result();
  EXPECT_EQ(doubts(cpu, parse_rfc3339_ms(cpu.started_at)), "");
}

TEST(Plausibility, ReasonsOfTheDocumentAreToldFromAnOperators) {
  EXPECT_TRUE(is_reason_of_document("above_peak: a; b"));
  for (const char* reason :
       {"", "by hand", "above_peak", "above_peak:", "revoked_key: above_peak: x", " above_peak: x"})
    EXPECT_FALSE(is_reason_of_document(reason)) << reason;
}

TEST(Plausibility, SizesAreThoseOfMachines) {
  const auto with = [](const std::function<void(Result&)>& change) {
    Result result = v100_with({said(kGemm, 105)});
    result.devices[0].limits = DeviceLimits{300, 300, 1530, 877};
    change(result);
    return result;
  };
  EXPECT_EQ(doubts(with([](Result&) {})), "");
  for (const auto& [change, code] : std::vector<std::pair<std::function<void(Result&)>, const char*>>{
           {[](Result& r) { r.duration_s = 1e308; }, "time_differs: a run of 1e+308 s"},
           {[](Result& r) { r.duration_s = -1; }, "time_differs"},
           {[](Result& r) { r.finished_at = "2026-11-01T11:00:00.000Z"; }, "time_differs"},
           {[](Result& r) { r.finished_at = "2026-11-01T12:30:00.000Z"; }, "time_differs"},
           {[](Result& r) { r.finished_at = "9999-01-01T00:00:00.000Z"; }, "clock_differs"},
           {[](Result& r) { r.boot_to_start_s = 1e300; }, "beyond_physics"},
           {[](Result& r) { r.boot_to_start_s = -1; }, "beyond_physics"},
           {[](Result& r) { r.host.logical_cpus = INT_MAX; }, "beyond_physics: a number of logical CPUs"},
           {[](Result& r) { r.host.effective_cpus = 1e9; }, "beyond_physics"},
           {[](Result& r) { r.host.memory_bytes = INT64_MAX; }, "beyond_physics: a host memory"},
           {[](Result& r) { r.devices[0].limits->power_limit_w = 1e9; }, "beyond_physics: a power limit"},
           {[](Result& r) { r.devices[0].limits->max_sm_clock_mhz = 1e9; }, "beyond_physics"},
           {[](Result& r) { r.devices[0].limits->max_memory_clock_mhz = -1; }, "beyond_physics"},
           {[](Result& r) { r.measurements[0].verification->tolerance = 1e300; }, "unverified"},
           {[](Result& r) { r.measurements[0].verification->tolerance = 0.04; }, "unverified"}})
    expect_doubt(with(change), code);
}

TEST(Plausibility, AClockThatWasSetDuringTheRunIsNoLie) {
  Result result = v100_with({said(kGemm, 105)});
  result.finished_at = "2026-11-01T11:00:00.000Z";
  result.verdicts.push_back({"clock_jumped", std::nullopt, "set 3660 s back", "set the clock"});
  EXPECT_EQ(doubts(result), "");
}

TEST(Plausibility, NoFigureIsAboveThePeak) {
  EXPECT_EQ(doubts(v100_with({said(kGemm, 124)})), "") << "just below";
  expect_doubt(v100_with({said(kGemm, 140)}), "above_peak: 140 TFLOP/s");
  expect_doubt(v100_with({said(kTriad, 950)}), "above_peak: 950 GB/s");
}

TEST(Plausibility, WinogradMayCountMoreThanItComputes) {
  const ConvParams three{DType::fp32, ConvDirection::forward, 32, 64, 56, 56, 64, 3, 3, 1, 1};
  EXPECT_EQ(doubts(v100_with({said(three, 30)})), "");
  expect_doubt(v100_with({said(three, 70)}), "above_peak");
  const ConvParams one{DType::fp32, ConvDirection::forward, 32, 64, 56, 56, 64, 1, 1, 1, 0};
  expect_doubt(v100_with({said(one, 30)}), "above_peak");
}

TEST(Plausibility, NoSingleDeviceIsBeyondPhysics) {
  Result unknown = v100_with({said(kGemm, 200'000)});
  unknown.devices[0].name = "Some Accelerator 9000";
  unknown.devices[0].model = unknown.devices[0].variant = std::nullopt;
  expect_doubt(unknown, "beyond_physics");
}

TEST(Plausibility, NeitherIsAMachineAroundItsDevices) {
  const auto around = [](const OperationParams& params, double gb_per_s) {
    Measurement m = said(params, gb_per_s);
    m.device.reset();
    return v100_with({said(kGemm, 100), m});
  };
  const DiskParams disk{DiskKind::sequential_read, 256 << 20, 4 << 20};
  const NetworkParams network{NetworkKind::download, 256 << 20};
  const BandwidthParams memory{BandwidthKernel::triad, MemoryLevel::dram, 1 << 27};
  EXPECT_EQ(doubts(around(disk, 14)), "");
  EXPECT_EQ(doubts(around(network, 12)), "");
  EXPECT_EQ(doubts(around(memory, 900)), "");
  expect_doubt(around(disk, 140), "beyond_physics");
  expect_doubt(around(network, 140), "beyond_physics");
  expect_doubt(around(memory, 9000), "beyond_physics");
  expect_doubt(v100_with({said(DiskParams{DiskKind::disk_to_device, 256 << 20, 4 << 20}, 140)}), "beyond_physics");
  Measurement connection = test::ok_measurement(NetworkParams{NetworkKind::connect, 0}, {100, 100});
  connection.device.reset();
  connection.seconds_under_load = 0.5;
  expect_doubt(v100_with({said(kGemm, 100), connection}), "beyond_physics");
}

TEST(Plausibility, FiguresFollowFromTheSamples) {
  Result result = v100_with({said(kGemm, 100)});
  result.measurements[0].metric->value = 110;
  expect_doubt(result, "figures_differ");
  result = v100_with({said(kGemm, 100)});
  result.measurements[0].median_ns = 1;
  expect_doubt(result, "figures_differ");
}

TEST(Plausibility, TheScoreFollowsFromTheSamples) {
  Result result = test::example_result();
  result.score.value = 99;
  EXPECT_NE(doubts(result, parse_rfc3339_ms(result.started_at)).find("score_differs"), std::string::npos);
  result.score.version = "9.9";
  EXPECT_EQ(doubts(result, parse_rfc3339_ms(result.started_at)), "") << "another version's score is not ours to judge";
}

TEST(Plausibility, OkMeansThatTheOutputWasRight) {
  Result result = v100_with({said(kGemm, 100)});
  result.measurements[0].verification.reset();
  expect_doubt(result, "unverified");
  result = v100_with({said(kGemm, 100)});
  result.measurements[0].verification->max_error = result.measurements[0].verification->tolerance * 2;
  expect_doubt(result, "unverified");
}

TEST(Plausibility, OperationsAreWhatTheirNamesSayAndThereOnce) {
  Result result = v100_with({said(kGemm, 100)});
  result.measurements[0].id = "gemm/fp32/m1n1k1";
  expect_doubt(result, "operation_differs");
  expect_doubt(v100_with({said(kGemm, 100), said(kGemm, 101)}), "operation_differs");
}

TEST(Plausibility, MeasuringTakesTime) {
  Result result = v100_with({said(kGemm, 100)});
  result.measurements[0].seconds_under_load = 1e-6;
  expect_doubt(result, "time_differs");
  result = v100_with({said(kGemm, 100)});
  result.measurements[0].seconds_under_load = result.duration_s + 10;
  expect_doubt(result, "time_differs");
}

TEST(Plausibility, DevicesAreThoseOfTheirName) {
  Result result = v100_with({said(kGemm, 100)});
  result.devices[0].memory_bytes = std::int64_t{80} << 30U;
  expect_doubt(result, "device_differs");
  result = v100_with({said(kGemm, 100)});
  result.devices[0].sm_count = 108;
  expect_doubt(result, "device_differs");
  result = v100_with({said(kGemm, 100)});
  result.devices[0].model = "H100";
  expect_doubt(result, "device_differs");
  result = v100_with({said(kGemm, 100)});
  result.measurements[0].device = 7;
  expect_doubt(result, "device_differs");
}

TEST(Plausibility, TelemetryIsOfThatCard) {
  for (const GpuTelemetry& gpu : {GpuTelemetry{2500, {}, {}, {}, {}, {}, {}}, GpuTelemetry{{}, {}, {}, 900, {}, {}, {}},
                                  GpuTelemetry{{}, {}, {}, {}, 500, {}, {}}}) {
    Result result = v100_with({said(kGemm, 100)});
    result.measurements[0].telemetry = Telemetry{};
    result.measurements[0].telemetry->gpu = gpu;
    expect_doubt(result, "device_differs");
  }
}

TEST(Plausibility, ClocksAreNeitherAheadNorBeforeThisProgram) {
  Result result = v100_with({said(kGemm, 100)});
  result.started_at = "2027-01-01T00:00:00.000Z";
  expect_doubt(result, "clock_differs");
  result.started_at = "1970-01-01T00:00:05.000Z";
  expect_doubt(result, "clock_differs");
}

TEST(Plausibility, ReasonsAreFew) {
  std::vector<Measurement> many;
  for (std::int64_t m = 1; m < 50; ++m) many.push_back(said(GemmParams{DType::fp16, 8192, 8192, 128 * m, 1}, 5000));
  Result result = v100_with(std::move(many));
  EXPECT_EQ(implausible_parts(result, recompute(result), kNowMs).size(), kMostReasons);
}

}  // namespace
}  // namespace gpuassay
