#include "agent/measure_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <new>
#include <string>
#include <utility>

#include "agent/steady_rule.h"
#include "agent/stopping_rule.h"
#include "core/error.h"
#include "core/operations.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

/// Warm-up lasts at least this long, or one operation if that is longer: first-touch, code caches, clock ramps.
constexpr std::int64_t kWarmUpNs = 5'000'000;
constexpr int kSampleDigits = 6;
/// Of fewer the 99th percentile would be the slowest one.
constexpr std::size_t kSamplesForP99 = 100;
/// The two clocks are read one after the other, so they seem to drift a little.
constexpr std::int64_t kSuspensionNs = 1'000'000;

/// Runs until kWarmUpNs have passed; returns the shortest time of one operation seen.
double warm_up(Operation& operation) {
  std::int64_t elapsed_ns = 0;
  std::int64_t iterations = 1;
  double best_ns = 0;
  while (elapsed_ns < kWarmUpNs) {
    const std::int64_t took_ns = std::max<std::int64_t>(1, operation.run_timed_ns(iterations));
    const double each_ns = static_cast<double>(took_ns) / static_cast<double>(iterations);
    best_ns = best_ns == 0 ? each_ns : std::min(best_ns, each_ns);
    elapsed_ns += took_ns;
    iterations = std::min<std::int64_t>(iterations * 2, 1 << 16);
  }
  return best_ns;
}

void store_samples(const std::vector<double>& samples_ns, std::int64_t under_load_ns, const SamplingLimits& limits,
                   Measurement& measurement) {
  measurement.seconds_under_load = round_significant(static_cast<double>(under_load_ns) / 1e9, 4);
  measurement.samples_ns = thin(samples_ns, static_cast<std::size_t>(limits.stored_samples));
  for (double& sample_ns : measurement.samples_ns) sample_ns = round_significant(sample_ns, kSampleDigits);
}

void sample(Operation& operation, const SamplingLimits& limits, double operation_ns, Measurement& measurement) {
  const auto iterations = static_cast<std::int64_t>(std::max(1.0, std::ceil(operation.min_sample_ns() / operation_ns)));
  StoppingRule rule(limits);
  bool one_by_one = false;
  while (!measurement.stop_reason) {
    const std::int64_t took_ns = std::max<std::int64_t>(1, operation.run_timed_ns(iterations));
    const std::vector<double> each_ns = operation.each_ns();
    for (const double one_ns : each_ns) measurement.stop_reason = rule.add(one_ns, std::llround(one_ns));
    one_by_one = !each_ns.empty();
    if (one_by_one) continue;
    measurement.stop_reason = rule.add(static_cast<double>(took_ns) / static_cast<double>(iterations), took_ns);
  }
  store_samples(rule.samples_ns(), rule.elapsed_ns(), limits, measurement);
  if (one_by_one && rule.samples_ns().size() >= kSamplesForP99)
    measurement.p99_ns = round_significant(quantile(rule.samples_ns(), 0.99), kSampleDigits);
}

/// Load without a pause until it has settled: the samples are those after it has.
void sample_sustained(Operation& operation, const SamplingLimits& limits, double operation_ns,
                      const LoadMonitor* monitor, Measurement& measurement) {
  // What the host does between two samples must not let the device rest.
  constexpr double kLeastSampleNs = 20e6;
  const double sample_ns = std::max(kLeastSampleNs, operation.min_sample_ns());
  const auto iterations = static_cast<std::int64_t>(std::max(1.0, std::ceil(sample_ns / operation_ns)));
  const auto temperature_c = [monitor] { return monitor != nullptr ? monitor->temperature_c() : std::nullopt; };
  SteadyRule rule(limits.max_time_ns, limits.min_time_ns);
  while (!measurement.stop_reason) {
    const std::int64_t took_ns = std::max<std::int64_t>(1, operation.run_timed_ns(iterations));
    const double each_ns = static_cast<double>(took_ns) / static_cast<double>(iterations);
    measurement.stop_reason = rule.add(each_ns, took_ns, temperature_c);
  }
  measurement.steady_reached = rule.settled();
  store_samples(rule.last_samples_ns(), rule.elapsed_ns(), limits, measurement);
}

/// False when the machine was suspended meanwhile.
bool sample_awake(Operation& operation, const Case& planned, double operation_ns, const LoadMonitor* monitor,
                  const SuspendedReader& read_suspended_ns, Measurement& measurement) {
  const std::int64_t before_ns = read_suspended_ns();
  if (planned.regime == Regime::sustained) {
    sample_sustained(operation, planned.limits, operation_ns, monitor, measurement);
  } else {
    sample(operation, planned.limits, operation_ns, measurement);
  }
  return read_suspended_ns() - before_ns < kSuspensionNs;
}

std::optional<Telemetry> telemetry_between(const std::optional<CpuTimes>& before,
                                           const std::optional<CpuTimes>& after) {
  Telemetry telemetry;
  if (before && after && after->total_ticks > before->total_ticks) {
    const double share = (after->steal_ticks - before->steal_ticks) / (after->total_ticks - before->total_ticks);
    telemetry.steal_fraction = round_significant(std::clamp(share, 0.0, 1.0), 3);
  }
  return telemetry;
}

/// Short enough for the document, and finite: an output full of NaN has no largest error, it is simply wrong.
Verification rounded(Verification verification) {
  constexpr int kErrorDigits = 3;
  constexpr double kEndlessError = 1e300;
  // Written so that NaN is caught as well; rounding the largest double up would give infinity.
  if (!(verification.max_error < kEndlessError)) {
    verification.max_error = kEndlessError;
    verification.passed = false;
  }
  verification.max_error = round_significant(verification.max_error, kErrorDigits);
  verification.tolerance = round_significant(verification.tolerance, kErrorDigits);
  return verification;
}

/// Seconds since it was made, or asked before.
class LapClock {
 public:
  double lap_s() {
    const Clock::time_point before = std::exchange(since_, Clock::now());
    return std::chrono::duration<double>(since_ - before).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point since_ = Clock::now();
};

Measurement measured(const Case& planned, Backend& backend, const CpuTimesReader& read_cpu_times,
                     const SuspendedReader& read_suspended_ns, const StartSignal& when_all_are_warm, CaseTime& time) {
  LapClock clock_of_run;
  Measurement measurement = not_measured(planned, CaseStatus::ok, "");
  measurement.reason.reset();
  const std::unique_ptr<Operation> operation = backend.prepare(planned.params);
  time.preparing_s = clock_of_run.lap_s();
  const double operation_ns = warm_up(*operation);
  time.measuring_s = clock_of_run.lap_s();
  if (planned.group != 0 && when_all_are_warm) when_all_are_warm();
  (void)clock_of_run.lap_s();
  const std::optional<CpuTimes> before = read_cpu_times();
  const std::unique_ptr<LoadMonitor> monitor = planned.gpu_telemetry ? backend.watch() : nullptr;
  const bool stamped = planned.gpu_telemetry || workload_of(planned.params) == Workload::compute;
  const std::unique_ptr<ClockWatch> clock = stamped ? backend.stamp_clock() : nullptr;
  if (!sample_awake(*operation, planned, operation_ns, monitor.get(), read_suspended_ns, measurement)) {
    measurement.stop_reason.reset();
    if (!sample_awake(*operation, planned, warm_up(*operation), monitor.get(), read_suspended_ns, measurement))
      return not_measured(planned, CaseStatus::failed, "suspended: the machine slept in the middle of the case, twice");
  }
  measurement.telemetry = telemetry_between(before, read_cpu_times());
  if (const auto stamps = clock ? clock->stop() : std::nullopt) {
    measurement.telemetry->sm_clock_stamped_mhz = stamps->sm_clock_mhz;
    // They are always the same ones: once for each kind of arithmetic is enough.
    if (!planned.gpu_telemetry) measurement.telemetry->multiprocessors_stamped = stamps->multiprocessors;
  }
  if (monitor) measurement.telemetry->gpu = monitor->stop();
  if (std::string algorithm = operation->algorithm(); !algorithm.empty()) measurement.algorithm = algorithm;
  if (const auto performed = operation->performed()) measurement.params = *performed;
  measurement.verification = rounded(operation->verify());
  time.measuring_s += clock_of_run.lap_s();
  if (!measurement.verification->passed) {
    measurement.status = CaseStatus::wrong_result;
    const std::string& part = measurement.verification->wrong_part;
    measurement.reason = fmt::format("wrong_result: the output{} differs from the reference by more than the tolerance",
                                     part.empty() ? "" : " " + part);
  }
  return measurement;
}

std::string reason_text(const Error& error) { return std::string(name_of(error.code())) + ": " + error.what(); }

}  // namespace

std::int64_t suspended_ns() {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  const auto read = [](clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * kNsPerSecond + now.tv_nsec;
  };
  const std::int64_t awake_ns = read(CLOCK_MONOTONIC);
  return read(CLOCK_BOOTTIME) - awake_ns;
}

std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat) {
  // cpu user nice system idle iowait irq softirq steal guest guest_nice; guest time is contained in user.
  constexpr int kFields = 8;
  constexpr int kStealField = 7;
  const std::string line(proc_stat.substr(0, std::min(proc_stat.find('\n'), proc_stat.size())));
  if (!line.starts_with("cpu ")) return std::nullopt;
  CpuTimes times;
  const char* cursor = line.c_str() + 4;
  for (int field = 0; field < kFields; ++field) {
    char* end = nullptr;
    const double ticks = std::strtod(cursor, &end);
    if (end == cursor || !(ticks >= 0) || !std::isfinite(ticks)) return std::nullopt;
    times.total_ticks += ticks;
    if (field == kStealField) times.steal_ticks = ticks;
    cursor = end;
  }
  return times;
}

Measurement not_measured(const Case& planned, CaseStatus status, const std::string& reason) {
  Measurement measurement;
  measurement.id = planned.id;
  measurement.device = planned.device;
  measurement.workload = workload_of(planned.params);
  measurement.params = planned.params;
  measurement.regime = planned.regime;
  measurement.status = status;
  measurement.reason = reason.substr(0, 250);
  return measurement;
}

CaseAnswer measure_case(const Case& planned, Backend& backend, const CpuTimesReader& read_cpu_times,
                        const SuspendedReader& read_suspended_ns, const StartSignal& when_all_are_warm) {
  try {
    CaseAnswer answer;
    answer.measurement = measured(planned, backend, read_cpu_times, read_suspended_ns, when_all_are_warm, answer.time);
    if (answer.measurement.samples_ns.empty()) answer.time = {};
    return answer;
  } catch (const Error& error) {
    // Asked whatever went wrong: a library on a dead context may call everything unsupported.
    if (const auto fatal = backend.fatal_error()) {
      return {not_measured(planned, CaseStatus::failed, reason_text(*fatal)), true};
    }
    const bool skipped = error.code() == ErrorCode::unsupported || error.code() == ErrorCode::out_of_memory;
    return {not_measured(planned, skipped ? CaseStatus::skipped : CaseStatus::failed, reason_text(error))};
  } catch (const std::bad_alloc&) {
    return {not_measured(planned, CaseStatus::skipped, "out_of_memory: the operands do not fit the free memory")};
  } catch (const std::exception& error) {
    return {not_measured(planned, CaseStatus::failed, std::string("internal: ") + error.what())};
  }
}

}  // namespace gpuassay
