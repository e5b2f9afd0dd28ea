// The measuring stage with real worker processes and fake cases: crashes, hangs, deadlines, interruptions.
#include "agent/measure.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "agent/environment.h"
#include "agent/measure_case.h"
#include "core/error.h"
#include "core/operations.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

std::vector<Case> plan_of(int count) {
  std::vector<Case> cases;
  for (int i = 1; i <= count; ++i) {
    const GemmParams gemm{DType::fp32, i, i, i, 1};
    cases.push_back({case_id(gemm), 0, gemm, Regime::burst, {5, 10, 1, 1'000'000}});
  }
  return cases;
}

CaseAnswer ok_case(const Case& planned) { return {test::ok_measurement(planned.params, {1000, 1001, 1002})}; }

/// A context whose deadline is far away; counts what the sink got.
struct Harness {
  std::vector<Case> plan;
  std::vector<std::string> finished;
  MeasureContext context;

  explicit Harness(int cases) : plan(plan_of(cases)) {
    context.now_s = monotonic_s;
    context.deadline_s = monotonic_s() + 60;
    context.on_start = [](const Case&, std::size_t) {};
    context.on_finished = [this](const Measurement& m) { finished.push_back(m.id); };
  }
  MeasureOutcome run(const std::function<CaseAnswer(const Case&, std::size_t)>& body) {
    return measure(
        plan,
        [&]() -> CaseRunner { return [&](std::size_t index, const StartSignal&) { return body(plan[index], index); }; },
        context);
  }
};

TEST(Measure, EveryCaseReachesTheSinkInOrder) {
  Harness harness(5);
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t) { return ok_case(c); });
  ASSERT_EQ(outcome.measurements.size(), 5u);
  EXPECT_EQ(harness.finished.size(), 5u);
  EXPECT_EQ(harness.finished[4], harness.plan[4].id);
  EXPECT_TRUE(outcome.reasons.empty());
}

TEST(Measure, AddsUpWhatTheCasesTook) {
  Harness harness(3);
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t index) {
    CaseAnswer answer = ok_case(c);
    answer.time = {0.25, 1.5};
    if (index == 2) answer.time = {-1, 1e300};  // what no case can have taken
    return answer;
  });
  EXPECT_DOUBLE_EQ(outcome.spent.preparing_s, 0.5);
  EXPECT_DOUBLE_EQ(outcome.spent.measuring_s, 3);
}

TEST(Measure, ACrashCostsOneCaseAndTheNextGetsAFreshWorker) {
  Harness harness(4);
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t index) {
    if (index == 1) std::raise(SIGKILL);
    return ok_case(c);
  });
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::ok);
  EXPECT_EQ(outcome.measurements[1].status, CaseStatus::failed);
  EXPECT_NE(outcome.measurements[1].reason->find("signal 9"), std::string::npos);
  EXPECT_EQ(outcome.measurements[2].status, CaseStatus::ok);
  EXPECT_EQ(outcome.measurements[3].status, CaseStatus::ok);
  ASSERT_EQ(outcome.reasons.size(), 1u);
  EXPECT_EQ(outcome.reasons[0].code, "worker_died");
}

TEST(Measure, AKindThatTakesItsWorkersAlongIsLeft) {
  Harness harness(20);
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t) {
    ::_exit(7);
    return ok_case(c);
  });
  ASSERT_EQ(outcome.measurements.size(), 20u);
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::failed);
  EXPECT_NE(outcome.measurements[0].reason->find("exited with status 7"), std::string::npos);
  EXPECT_EQ(outcome.measurements[19].status, CaseStatus::failed);
  EXPECT_TRUE(outcome.measurements[19].reason->starts_with("worker_died: earlier cases of its kind"));
  EXPECT_EQ(outcome.reasons.size(), 2u);
}

TEST(Measure, ADeviceThatTakesWorkersOfEveryKindAlongIsGivenUp) {
  Harness harness(20);
  for (std::size_t i = 0; i < harness.plan.size(); ++i) {
    const auto bytes = static_cast<std::int64_t>(i + 1) << 20;
    if (i % 3 == 1) harness.plan[i].params = BandwidthParams{BandwidthKernel::copy, MemoryLevel::dram, bytes};
    if (i % 3 == 2) harness.plan[i].params = ComputeParams{DType::fp32, ComputeUnit::fma, bytes};
  }
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t) {
    ::_exit(7);
    return ok_case(c);
  });
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::failed);
  EXPECT_EQ(outcome.measurements[19].status, CaseStatus::skipped);
  EXPECT_TRUE(outcome.measurements[19].reason->starts_with("too_many_failures"));
  EXPECT_EQ(outcome.reasons.back().code, "too_many_failures");
}

TEST(Measure, OneDeviceThatIsGivenUpLeavesTheOthers) {
  Harness harness(20);
  for (std::size_t i = 0; i < harness.plan.size(); i += 2) harness.plan[i].device = 1;
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t) -> CaseAnswer {
    if (c.device == 0) ::_exit(7);
    CaseAnswer answer = ok_case(c);
    answer.measurement.device = 1;
    return answer;
  });
  EXPECT_EQ(outcome.measurements[18].status, CaseStatus::ok);
  EXPECT_EQ(outcome.measurements[19].status, CaseStatus::failed);
  EXPECT_TRUE(outcome.measurements[19].reason->starts_with("worker_died: earlier"));
  EXPECT_EQ(outcome.reasons.back().device, 0);
}

TEST(Measure, AfterADeadContextTheNextCaseGetsAFreshWorker) {
  Harness harness(4);
  const MeasureOutcome outcome = harness.run([dead = false](const Case& c, std::size_t index) mutable -> CaseAnswer {
    if (index == 1) dead = true;
    if (!dead) return ok_case(c);
    const char* reason = index == 1 ? "hardware_fault: an uncorrectable error" : "library_failed: the context is dead";
    return {not_measured(c, CaseStatus::failed, reason), true};
  });
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::ok);
  EXPECT_EQ(outcome.measurements[1].status, CaseStatus::failed);
  EXPECT_EQ(outcome.measurements[1].reason, "hardware_fault: an uncorrectable error");
  EXPECT_EQ(outcome.measurements[2].status, CaseStatus::ok);
  EXPECT_EQ(outcome.measurements[3].status, CaseStatus::ok);
  ASSERT_EQ(outcome.reasons.size(), 1u);
  EXPECT_EQ(outcome.reasons[0].code, "hardware_fault");
}

TEST(Measure, AHungCaseIsKilledAtTheDeadline) {
  Harness harness(3);
  harness.context.deadline_s = monotonic_s() + 0.3;
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t index) {
    while (index == 1) ::pause();
    return ok_case(c);
  });
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::ok);
  EXPECT_EQ(outcome.measurements[1].status, CaseStatus::skipped);
  EXPECT_EQ(outcome.measurements[2].status, CaseStatus::skipped);
  ASSERT_EQ(outcome.reasons.size(), 1u);
  EXPECT_EQ(outcome.reasons[0].code, "budget");
  EXPECT_NE(outcome.reasons[0].message.find("2 of 3 cases"), std::string::npos);
}

TEST(Measure, RepeatsTheBudgetDoesNotReachAreNoLoss) {
  Harness harness(4);
  harness.plan[3] = harness.plan[0];
  harness.plan[2] = harness.plan[1];
  harness.plan[2].repeat = harness.plan[3].repeat = true;
  harness.context.deadline_s = monotonic_s() + 0.3;
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t index) {
    while (index == 2) ::pause();
    return ok_case(c);
  });
  EXPECT_EQ(outcome.measurements.size(), 4u);
  EXPECT_TRUE(outcome.reasons.empty());
}

TEST(Measure, AHungCaseIsKilledLongBeforeAFarDeadline) {
  Harness harness(2);
  // A clock that jumps: the case seems to take minutes at once, the deadline is hours away.
  double now_s = 0;
  harness.context.now_s = [&now_s] { return now_s += 200; };
  harness.context.deadline_s = 36000;
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t index) {
    while (index == 0) ::pause();
    return ok_case(c);
  });
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::failed);
  EXPECT_EQ(outcome.reasons.at(0).code, "worker_hung");
}

TEST(Measure, WhatIsLikeAHungCaseIsNotTriedAgainTheRestIs) {
  Harness harness(4);
  harness.plan[3].params = LatencyParams{};
  harness.plan[3].id = case_id(harness.plan[3].params);
  // The clock jumps while the hanging case runs.
  double now_s = 0, step_s = 0;
  harness.context.now_s = [&] { return now_s += step_s; };
  harness.context.deadline_s = 36'000;
  harness.context.on_start = [&](const Case&, std::size_t index) { step_s = index == 1 ? 200 : 0.001; };
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t index) {
    while (index == 1 || index == 2) ::pause();
    return ok_case(c);
  });
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::ok);
  EXPECT_TRUE(outcome.measurements[1].reason->starts_with("worker_hung"));
  EXPECT_TRUE(outcome.measurements[2].reason->starts_with("worker_hung: an earlier case"));
  EXPECT_EQ(outcome.measurements[3].status, CaseStatus::ok);
  EXPECT_EQ(outcome.reasons.size(), 1u);
}

TEST(Measure, AnInterruptionKeepsWhatIsFinished) {
  Harness harness(3);
  const int stop = ::eventfd(0, 0);
  harness.context.interrupt_fd = stop;
  harness.context.why_interrupted = [] { return std::string("somebody said: stop"); };
  harness.context.on_start = [stop](const Case&, std::size_t index) {
    if (index == 1) {
      ASSERT_EQ(::eventfd_write(stop, 1), 0);
    }
  };
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t index) {
    while (index == 1) ::pause();
    return ok_case(c);
  });
  ::close(stop);
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::ok);
  EXPECT_EQ(outcome.measurements[1].status, CaseStatus::skipped);
  EXPECT_EQ(outcome.measurements[2].reason, "interrupted: somebody said: stop");
  EXPECT_EQ(outcome.reasons.at(0).code, "interrupted");
  EXPECT_EQ(outcome.reasons.at(0).message, "somebody said: stop; 2 of 3 cases were not measured");
}

TEST(Measure, AnInterruptionAfterTheLastCaseChangesNothing) {
  Harness harness(2);
  const int stop = ::eventfd(0, 0);
  harness.context.interrupt_fd = stop;
  harness.context.why_interrupted = [] { return std::string("somebody said: stop"); };
  harness.context.on_finished = [&](const Measurement& m) {
    if (m.id == harness.plan.back().id) {
      ASSERT_EQ(::eventfd_write(stop, 1), 0);
    }
  };
  const MeasureOutcome outcome = harness.run([](const Case& c, std::size_t) { return ok_case(c); });
  ::close(stop);
  EXPECT_EQ(outcome.measurements[1].status, CaseStatus::ok);
  EXPECT_TRUE(outcome.reasons.empty());
}

TEST(Measure, ABackendThatCannotStartFailsEveryCaseWithItsReason) {
  Harness harness(2);
  const MeasureOutcome outcome = measure(
      harness.plan, []() -> CaseRunner { throw Error(ErrorCode::library_missing, "no library here"); },
      harness.context);
  EXPECT_EQ(outcome.measurements[1].status, CaseStatus::failed);
  EXPECT_NE(outcome.measurements[1].reason->find("no library here"), std::string::npos);
}

TEST(Measure, AnAnswerForAnotherCaseIsNotBelieved) {
  Harness harness(1);
  const MeasureOutcome outcome = harness.run([](const Case&, std::size_t) {
    return CaseAnswer{test::ok_measurement(GemmParams{DType::fp32, 9, 9, 9, 1}, {1})};
  });
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::failed);
  EXPECT_EQ(outcome.measurements[0].id, harness.plan[0].id);
}

/// Cases of one operation on as many devices, to be measured at the same time.
Harness together(int devices) {
  Harness harness(devices);
  for (int i = 0; i < devices; ++i) {
    harness.plan[static_cast<std::size_t>(i)] = harness.plan.front();
    harness.plan[static_cast<std::size_t>(i)].device = i;
    harness.plan[static_cast<std::size_t>(i)].group = 1;
  }
  return harness;
}

/// Each case says in milliseconds of the common clock when it was let go and when it ended.
CaseAnswer timed_case(const Case& planned, const StartSignal& start, int prepares_ms, int works_ms) {
  ::usleep(static_cast<useconds_t>(prepares_ms) * 1000);
  start();
  const double began_ms = monotonic_s() * 1e3;
  ::usleep(static_cast<useconds_t>(works_ms) * 1000);
  return {test::ok_measurement(planned.params, {began_ms, monotonic_s() * 1e3}, planned.device.value_or(0))};
}

MeasureOutcome run_together(Harness& harness, const std::function<CaseAnswer(const Case&, const StartSignal&)>& body) {
  return measure(
      harness.plan,
      [&]() -> CaseRunner {
        return [&](std::size_t index, const StartSignal& start) { return body(harness.plan[index], start); };
      },
      harness.context);
}

TEST(MeasureTogether, AGroupStartsWhenTheSlowestToPrepareIsWarm) {
  Harness harness = together(3);
  const MeasureOutcome outcome = run_together(harness, [](const Case& c, const StartSignal& start) {
    return timed_case(c, start, c.device == 2 ? 300 : 0, 200);
  });
  ASSERT_EQ(outcome.measurements.size(), 3u);
  double last_start_ms = 0, first_end_ms = 1e300;
  for (int i = 0; i < 3; ++i) {
    const Measurement& m = outcome.measurements[static_cast<std::size_t>(i)];
    EXPECT_EQ(m.device, i);
    ASSERT_EQ(m.status, CaseStatus::ok) << *m.reason;
    last_start_ms = std::max(last_start_ms, m.samples_ns[0]);
    first_end_ms = std::min(first_end_ms, m.samples_ns[1]);
  }
  EXPECT_LT(last_start_ms, first_end_ms) << "all of them worked at the same time";
  EXPECT_EQ(harness.finished.size(), 3u);
}

TEST(MeasureTogether, WhatRanAtTheSameTimeCountsOnce) {
  Harness harness = together(3);
  const MeasureOutcome outcome = run_together(harness, [](const Case& c, const StartSignal& start) {
    start();
    CaseAnswer answer = ok_case(c);
    answer.measurement.device = c.device;
    answer.time = {0.5 + c.device.value_or(0), 4.0 - c.device.value_or(0)};
    return answer;
  });
  EXPECT_DOUBLE_EQ(outcome.spent.preparing_s, 2.5);
  EXPECT_DOUBLE_EQ(outcome.spent.measuring_s, 4);
}

TEST(MeasureTogether, OneThatDiesIsNamedAndTheOthersStart) {
  Harness harness = together(4);
  const MeasureOutcome outcome = run_together(harness, [](const Case& c, const StartSignal& start) {
    if (c.device == 1) std::raise(SIGKILL);  // before it is warm
    CaseAnswer answer = timed_case(c, start, 0, 20);
    if (c.device == 3) std::raise(SIGSEGV);  // in the middle of its work
    return answer;
  });
  EXPECT_EQ(outcome.measurements[0].status, CaseStatus::ok);
  EXPECT_EQ(outcome.measurements[1].status, CaseStatus::failed);
  EXPECT_EQ(outcome.measurements[2].status, CaseStatus::ok);
  EXPECT_EQ(outcome.measurements[3].status, CaseStatus::failed);
  ASSERT_EQ(outcome.reasons.size(), 2u);
  EXPECT_EQ(outcome.reasons[0].device, 1);
  EXPECT_EQ(outcome.reasons[1].device, 3);
}

TEST(MeasureTogether, AnInterruptionEndsAllAtOnce) {
  Harness harness = together(4);
  harness.context.interrupt_fd = ::eventfd(1, EFD_CLOEXEC);
  harness.context.why_interrupted = [] { return std::string("told to"); };
  const double before_s = monotonic_s();
  const MeasureOutcome outcome = run_together(
      harness, [](const Case& c, const StartSignal& start) { return timed_case(c, start, 60'000, 60'000); });
  EXPECT_LT(monotonic_s() - before_s, 30) << "not the minute that each would have taken";
  for (const Measurement& m : outcome.measurements) EXPECT_EQ(m.reason, "interrupted: told to");
  ::close(harness.context.interrupt_fd);
}

TEST(MeasureTogether, ASecondGroupUsesTheSameProcesses) {
  Harness harness = together(2);
  for (int i = 0; i < 2; ++i) {
    harness.plan.push_back(harness.plan[static_cast<std::size_t>(i)]);
    harness.plan.back().group = 2;
  }
  const MeasureOutcome outcome = run_together(harness, [](const Case& c, const StartSignal& start) {
    start();
    return CaseAnswer{test::ok_measurement(c.params, {static_cast<double>(::getpid())}, c.device.value_or(0))};
  });
  EXPECT_EQ(outcome.measurements[0].samples_ns, outcome.measurements[2].samples_ns);
  EXPECT_EQ(outcome.measurements[1].samples_ns, outcome.measurements[3].samples_ns);
  EXPECT_NE(outcome.measurements[0].samples_ns, outcome.measurements[1].samples_ns);
}

TEST(Worker, DiesWithItsParent) {
  // A middle process starts a worker, tells its pid and is killed; the worker must go with it.
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    Worker worker([]() -> CaseRunner {
      return [](std::size_t, const StartSignal&) -> CaseAnswer {
        while (true) ::pause();
      };
    });
    if (!worker.request(0)) ::_exit(1);
    const pid_t pid = worker.pid();
    if (::write(pipe_ends[1], &pid, sizeof pid) != static_cast<ssize_t>(sizeof pid)) ::_exit(1);
    while (true) ::pause();
  }
  ::close(pipe_ends[1]);
  pid_t worker = 0;
  ASSERT_EQ(::read(pipe_ends[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  ::kill(middle, SIGKILL);
  ::waitpid(middle, nullptr, 0);
  // Our init or subreaper collects it; until then it is a zombie at most.
  const auto gone = [worker] {
    std::ifstream stat("/proc/" + std::to_string(worker) + "/stat");
    std::string text;
    return !std::getline(stat, text) || text.find(") Z") != std::string::npos || text.find(") X") != std::string::npos;
  };
  const double limit_s = monotonic_s() + 10;
  while (!gone() && monotonic_s() < limit_s) ::usleep(1000);
  EXPECT_TRUE(gone());
  ::close(pipe_ends[0]);
}

}  // namespace
}  // namespace gpuassay
