#include "agent/commands/measure_run.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/case_runner.h"
#include "agent/environment.h"
#include "agent/journal_record.h"
#include "agent/measure.h"
#include "core/money.h"
#include "core/normalize.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// For asking NVML what broke: kept back from the wall-clock limit, taken where there is more time, and where looking
/// for the devices has used all of it.
constexpr std::chrono::milliseconds kHealthLimit{1500}, kLongestHealthLimit{10'000}, kLeastHealthLimit{100};

/// Who asked it to stop has what was measured 2 s later: the worker ends and NVML is asked within so much.
constexpr double kStopS = 1.4;

/// Keeps each finished case, and shows how far the run is.
class Sink {
 public:
  Sink(const RunLimits& limits, std::size_t cases, RunStore& store, Progress& progress)
      : started_s_(limits.started_s), store_(store), progress_(progress) {
    constexpr double kMicros = 1e6;
    state_.total = cases;
    state_.budget_s = limits.budget_s;
    if (limits.price_usd_per_hour)
      state_.usd_per_hour = static_cast<double>(parse_micros(*limits.price_usd_per_hour)) / kMicros;
  }

  void start(const Case& planned, std::size_t index) {
    state_.case_id = planned.id;
    state_.finished = index;
    state_.elapsed_s = monotonic_s() - started_s_;
    progress_.update(state_);
  }

  void finish(const Measurement& measurement) {
    const bool journal_was_whole = store_.problem.empty();
    store_.attempt([&](const Spool& /*spool*/) {
      if (store_.journal) store_.journal->append(journal_case_line(measurement, monotonic_s() - started_s_));
    });
    if (journal_was_whole && !store_.problem.empty()) progress_.warn(store_.problem + " (a kill now would lose cases)");
    const Measurement figures = normalize(measurement, nullptr);
    state_.last_figure = figure_text(figures);
    progress_.finished_case(figures);
  }

 private:
  double started_s_;
  RunStore& store_;
  Progress& progress_;
  ProgressState state_;
};

}  // namespace

double RunLimits::left_s() const { return started_s + budget_s - monotonic_s(); }

RunEnd measure_run(const std::vector<Case>& cases, const Machine& machine, const HostSelection& host,
                   const RunLimits& limits, LeadingRun* group, RunStore& store, Progress& progress,
                   Interruption& interruption) {
  Sink sink(limits, cases.size(), store, progress);
  MeasureContext context;
  context.now_s = monotonic_s;
  const double health_s = machine.selections.empty() ? 0 : std::chrono::duration<double>(kHealthLimit).count();
  context.deadline_s = limits.started_s + std::max(limits.budget_s - kReserveS - health_s, 0.0);
  context.interrupt_fd = interruption.fd();
  std::optional<double> asked_to_stop_s;
  context.why_interrupted = [&] {
    asked_to_stop_s = monotonic_s();
    return interruption.reason();
  };
  context.on_start = [&](const Case& planned, std::size_t index) { sink.start(planned, index); };
  context.on_finished = [&](const Measurement& measurement) { sink.finish(measurement); };
  MeasureOutcome outcome = group != nullptr
                               ? measure_in_group(*group, cases, machine, context)
                               : measure(cases, case_runner_maker(cases, machine, host, context.deadline_s), context);
  const double left_s = asked_to_stop_s ? *asked_to_stop_s + kStopS - monotonic_s() : limits.left_s();
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(left_s));
  FaultsSince since = faults_since(machine, std::clamp(left, kLeastHealthLimit, kLongestHealthLimit));
  for (Reason& fault : since.faults) outcome.reasons.push_back(std::move(fault));
  RunEnd end{std::move(outcome.measurements), std::move(outcome.reasons), format_rfc3339_ms(unix_ms()),
             monotonic_s() - limits.started_s};
  end.measuring_s = outcome.spent.measuring_s;
  end.preparing_s = outcome.spent.preparing_s;
  end.unknown = std::move(since.unknown);
  end.health = std::move(since.health);
  return end;
}

}  // namespace gpuassay
