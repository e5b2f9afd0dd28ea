#include "agent/measure_case.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <new>
#include <thread>

#include "core/error.h"
#include "core/operations.h"

namespace gpuassay {
namespace {

/// An operation whose times are written down, not measured.
class ScriptedOperation : public Operation {
 public:
  ScriptedOperation(std::int64_t operation_ns, Verification verification)
      : operation_ns_(operation_ns), verification_(std::move(verification)) {}
  std::int64_t run_timed_ns(std::int64_t iterations) override { return operation_ns_ * iterations; }
  Verification verify() override { return verification_; }
  [[nodiscard]] std::string algorithm() const override { return "scripted"; }

 private:
  std::int64_t operation_ns_;
  Verification verification_;
};

class ScriptedBackend : public Backend {
 public:
  std::function<std::unique_ptr<Operation>()> make;
  std::optional<Error> fatal;
  std::unique_ptr<Operation> prepare(const OperationParams&) override { return make(); }
  std::optional<Error> fatal_error() override { return fatal; }
};

const Verification kPassed{"fp64_reference", "absolute", 64, 0.25, 0.5, true};

Case one_case() {
  const GemmParams gemm{DType::fp32, 64, 64, 64, 1};
  return {case_id(gemm), 3, gemm, Regime::burst, {5, 1000, 20'000'000, 100'000'000}};
}

Measurement measure_scripted(std::int64_t operation_ns, const Verification& verification) {
  ScriptedBackend backend;
  backend.make = [&] { return std::make_unique<ScriptedOperation>(operation_ns, verification); };
  double ticks = 0;
  return measure_case(one_case(), backend,
                      [&]() -> std::optional<CpuTimes> {
                        ticks += 100;
                        return CpuTimes{ticks, ticks / 4};
                      })
      .measurement;
}

TEST(MeasureCase, SamplesUntilTheRuleIsSatisfied) {
  const Measurement m = measure_scripted(4'000'000, kPassed);
  EXPECT_EQ(m.status, CaseStatus::ok);
  EXPECT_EQ(m.device, 3);
  EXPECT_EQ(m.samples_ns, std::vector<double>(5, 4e6));
  EXPECT_EQ(m.stop_reason, StopReason::noise_reached);
  EXPECT_EQ(m.seconds_under_load, 0.02);
  EXPECT_EQ(m.algorithm, "scripted");
  EXPECT_EQ(m.telemetry->steal_fraction, 0.25);
  EXPECT_FALSE(m.reason);
  EXPECT_FALSE(m.metric) << "figures are the next stage's";
}

TEST(MeasureCase, ShortOperationsAreTimedInBatchesButReportedEach) {
  const Measurement m = measure_scripted(1000, kPassed);
  EXPECT_EQ(m.samples_ns.front(), 1000);
  EXPECT_EQ(m.samples_ns.size(), 64u) << "100 samples of 200 operations, thinned";
}

/// Times its operations one by one: the n-th takes n microseconds.
class OneByOne final : public ScriptedOperation {
 public:
  OneByOne() : ScriptedOperation(0, kPassed) {}
  std::int64_t run_timed_ns(std::int64_t iterations) override {
    each_ns_.clear();
    for (std::int64_t i = 0; i < iterations; ++i) each_ns_.push_back(1000.0 * static_cast<double>(++count_));
    return 5'000'000;
  }
  [[nodiscard]] std::vector<double> each_ns() const override { return each_ns_; }

 private:
  std::int64_t count_ = 0;
  std::vector<double> each_ns_;
};

Measurement measure_one_by_one(int samples) {
  ScriptedBackend backend;
  backend.make = [] { return std::make_unique<OneByOne>(); };
  Case planned = one_case();
  planned.limits = {samples, samples, 0, 1'000'000'000'000, 15};
  return measure_case(planned, backend, [] { return std::nullopt; }).measurement;
}

TEST(MeasureCase, ThePercentileIsOfAllSamplesBeforeTheyAreThinned) {
  const Measurement m = measure_one_by_one(200);
  EXPECT_EQ(m.samples_ns.size(), 15u);
  // The first took 1 us while it warmed up; samples are 2 to 201 us: rank 0.99 * 199 from the lowest.
  EXPECT_DOUBLE_EQ(m.p99_ns.value(), 199'010);
  EXPECT_FALSE(measure_one_by_one(99).p99_ns) << "of fewer it would be the slowest one";
  EXPECT_FALSE(measure_scripted(1000, kPassed).p99_ns) << "means of many operations have no such tail";
}

TEST(MeasureCase, AWrongPartIsNamed) {
  Verification wrong = kPassed;
  wrong.passed = false;
  wrong.wrong_part = "of rank 3 (GPU 3)";
  EXPECT_EQ(measure_scripted(4'000'000, wrong).reason,
            "wrong_result: the output of rank 3 (GPU 3) differs from the reference by more than the tolerance");
}

/// Slower from its third second on, as under a power limit.
class SlowingOperation final : public ScriptedOperation {
 public:
  SlowingOperation() : ScriptedOperation(0, kPassed) {}
  std::int64_t run_timed_ns(std::int64_t iterations) override {
    const std::int64_t operation_ns = elapsed_ns_ < 2'000'000'000 ? 1'000'000 : 1'250'000;
    elapsed_ns_ += operation_ns * iterations;
    return operation_ns * iterations;
  }

 private:
  std::int64_t elapsed_ns_ = 0;
};

TEST(MeasureCase, SustainedFiguresAreThoseAfterTheDeviceHasSettled) {
  ScriptedBackend backend;
  backend.make = [] { return std::make_unique<SlowingOperation>(); };
  Case planned = one_case();
  planned.regime = Regime::sustained;
  planned.limits = {1, 0, 0, 8'000'000'000, 14};
  const Measurement m = measure_case(planned, backend, [] { return std::nullopt; }).measurement;
  EXPECT_EQ(m.status, CaseStatus::ok);
  EXPECT_EQ(m.regime, Regime::sustained);
  EXPECT_EQ(m.steady_reached, true);
  EXPECT_EQ(m.stop_reason, StopReason::noise_stable);
  EXPECT_EQ(m.samples_ns, std::vector<double>(14, 1.25e6));
  EXPECT_GE(*m.seconds_under_load, 5);
  EXPECT_LT(*m.seconds_under_load, 7);
  planned.limits.max_time_ns = 3'000'000'000;
  const Measurement cut_off = measure_case(planned, backend, [] { return std::nullopt; }).measurement;
  EXPECT_EQ(cut_off.steady_reached, false);
  EXPECT_EQ(cut_off.stop_reason, StopReason::time_limit);
}

TEST(MeasureCase, AWrongOutputIsAWrongResultHoweverFast) {
  Verification wrong = kPassed;
  wrong.passed = false;
  const Measurement m = measure_scripted(4'000'000, wrong);
  EXPECT_EQ(m.status, CaseStatus::wrong_result);
  EXPECT_TRUE(m.reason->starts_with("wrong_result:"));
  EXPECT_EQ(m.samples_ns.size(), 5u);
}

TEST(MeasureCase, ANotANumberErrorIsWrongAndStaysFinite) {
  Verification nan = kPassed;
  nan.max_error = std::nan("");
  const Measurement m = measure_scripted(4'000'000, nan);
  EXPECT_EQ(m.status, CaseStatus::wrong_result);
  EXPECT_TRUE(std::isfinite(m.verification->max_error));
}

TEST(MeasureCase, WhatCannotBeDoneIsSkippedWhatBreaksIsFailed) {
  ScriptedBackend backend;
  const auto no_times = [] { return std::optional<CpuTimes>(); };
  backend.make = []() -> std::unique_ptr<Operation> { throw Error(ErrorCode::unsupported, "no bf16"); };
  EXPECT_EQ(measure_case(one_case(), backend, no_times).measurement.status, CaseStatus::skipped);
  EXPECT_EQ(*measure_case(one_case(), backend, no_times).measurement.reason, "unsupported: no bf16");
  backend.make = []() -> std::unique_ptr<Operation> { throw std::bad_alloc(); };
  EXPECT_EQ(measure_case(one_case(), backend, no_times).measurement.status, CaseStatus::skipped);
  backend.make = []() -> std::unique_ptr<Operation> { throw Error(ErrorCode::library_failed, "status 5"); };
  EXPECT_EQ(measure_case(one_case(), backend, no_times).measurement.status, CaseStatus::failed);
  backend.make = []() -> std::unique_ptr<Operation> { throw std::logic_error("bug"); };
  EXPECT_EQ(*measure_case(one_case(), backend, no_times).measurement.reason, "internal: bug");
}

/// Preparing, sampling and verifying take real time each.
class SlowOperation final : public ScriptedOperation {
 public:
  static constexpr std::chrono::milliseconds kPreparing{60}, kVerifying{20};
  explicit SlowOperation(Verification verification) : ScriptedOperation(4'000'000, std::move(verification)) {
    std::this_thread::sleep_for(kPreparing);
  }
  Verification verify() override {
    std::this_thread::sleep_for(kVerifying);
    return ScriptedOperation::verify();
  }
};

TEST(MeasureCase, TellsPreparingFromMeasuringAndLeavesTheWaitingOut) {
  ScriptedBackend backend;
  backend.make = [] { return std::make_unique<SlowOperation>(kPassed); };
  Case planned = one_case();
  planned.group = 1;
  constexpr std::chrono::milliseconds kWaiting{300};
  const CaseAnswer answer = measure_case(
      planned, backend, [] { return std::nullopt; }, suspended_ns, [&] { std::this_thread::sleep_for(kWaiting); });
  ASSERT_EQ(answer.measurement.status, CaseStatus::ok);
  EXPECT_GE(answer.time.preparing_s, 0.06);
  EXPECT_GE(answer.time.measuring_s, 0.02);
  EXPECT_LT(answer.time.measuring_s, 0.3) << "who waits for others measures nothing";
}

TEST(MeasureCase, WhatGaveNoSamplesTookNoMeasuringTime) {
  ScriptedBackend backend;
  backend.make = []() -> std::unique_ptr<Operation> {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    throw Error(ErrorCode::library_failed, "status 5");
  };
  const CaseAnswer answer = measure_case(one_case(), backend, [] { return std::nullopt; });
  EXPECT_EQ(answer.time.preparing_s, 0);
  EXPECT_EQ(answer.time.measuring_s, 0);
}

TEST(MeasureCase, WhatAMachineMeasuredWhileItSleptIsMeasuredAgain) {
  const auto no_times = [] { return std::optional<CpuTimes>(); };
  int operations = 0;
  ScriptedBackend backend;
  backend.make = [&] {
    ++operations;
    return std::make_unique<ScriptedOperation>(4'000'000, kPassed);
  };
  // Read before and after the samples, for each try.
  const auto measure = [&](std::vector<std::int64_t> suspended_ns) {
    std::size_t at = 0;
    const Measurement m =
        measure_case(one_case(), backend, no_times, [&] { return suspended_ns.at(at++); }).measurement;
    EXPECT_EQ(at, suspended_ns.size());
    return m;
  };
  EXPECT_EQ(measure({5'000'000'000, 5'000'500'000}).status, CaseStatus::ok) << "asleep before the case";
  const Measurement repeated = measure({0, 2'000'000'000, 2'000'000'000, 2'000'000'100});
  EXPECT_EQ(repeated.status, CaseStatus::ok);
  EXPECT_EQ(repeated.samples_ns, std::vector<double>(5, 4e6));
  EXPECT_EQ(repeated.seconds_under_load, 0.02) << "of the second try alone";
  const Measurement twice = measure({0, 2'000'000'000, 2'000'000'000, 9'000'000'000});
  EXPECT_EQ(twice.status, CaseStatus::failed);
  EXPECT_TRUE(twice.reason->starts_with("suspended:"));
  EXPECT_TRUE(twice.samples_ns.empty());
}

TEST(MeasureCase, TheTwoClocksOfThisMachineAreRead) { EXPECT_GE(suspended_ns(), -1'000'000); }

TEST(MeasureCase, ADeadContextIsTheReasonWhateverTheLibrarySaid) {
  ScriptedBackend backend;
  backend.fatal = Error(ErrorCode::hardware_fault, "an uncorrectable error", 214);
  backend.make = []() -> std::unique_ptr<Operation> { throw Error(ErrorCode::unsupported, "no algorithm"); };
  const CaseAnswer answer = measure_case(one_case(), backend, [] { return std::optional<CpuTimes>(); });
  EXPECT_TRUE(answer.process_spent);
  EXPECT_EQ(answer.measurement.status, CaseStatus::failed);
  EXPECT_EQ(answer.measurement.reason, "hardware_fault: an uncorrectable error");
}

TEST(MeasureCase, ReasonsFitTheSchema) {
  EXPECT_LE(not_measured(one_case(), CaseStatus::failed, std::string(1000, 'x')).reason->size(), 256u);
}

TEST(ParseCpuTimes, ReadsTotalsAndSteal) {
  const auto times = parse_cpu_times("cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2 3\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->total_ticks, 360);
  EXPECT_EQ(times->steal_ticks, 80);
}

TEST(ParseCpuTimes, RefusesWhatIsNotProcStat) {
  for (const char* text : {"", "cpu", "cpu  1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu  1 2 3 x 5 6 7 8",
                           "cpu -1 2 3 4 5 6 7 8", "cpu nan 2 3 4 5 6 7 8"}) {
    EXPECT_FALSE(parse_cpu_times(text)) << text;
  }
}

}  // namespace
}  // namespace gpuassay
