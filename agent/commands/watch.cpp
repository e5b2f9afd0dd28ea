// gpuassay watch: random short probes over a rental, and when the machine is no longer as fast as it was.
#include <fmt/format.h>
#include <poll.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/assemble.h"
#include "agent/case_runner.h"
#include "agent/commands/baseline_run.h"
#include "agent/commands/commands.h"
#include "agent/commands/run_price.h"
#include "agent/commands/run_store.h"
#include "agent/commands/watch_log.h"
#include "agent/exit_code.h"
#include "agent/interruption.h"
#include "agent/inventory.h"
#include "agent/measure.h"
#include "agent/plan.h"
#include "agent/plan_probe.h"
#include "agent/platform_stage.h"
#include "agent/run_id.h"
#include "agent/stop_line.h"
#include "agent/text_page.h"
#include "agent/watch_report.h"
#include "agent/watch_schedule.h"
#include "core/error.h"
#include "core/normalize.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

constexpr double kSecondsInHour = 3600;
/// A probe that takes longer is stopped: it is a probe no more.
constexpr double kMostProbeS = 60;
/// The two clocks are read one after the other; a machine that was suspended for less is as it was.
constexpr double kSuspensionWorthTellingS = 1;

/// Of the kernel, so that a host cannot foresee it.
std::uint64_t bits_from_kernel() {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits))
    throw_errno(ErrorCode::internal, "the kernel gives no random bytes", errno);
  return bits;
}

/// In (0, 1].
double uniform_from_kernel() {
  constexpr unsigned kDoubleBits = 53;
  return std::ldexp(static_cast<double>((bits_from_kernel() >> (64 - kDoubleBits)) + 1),
                    -static_cast<int>(kDoubleBits));
}

std::size_t below_from_kernel(std::size_t limit) { return bits_from_kernel() % limit; }

/// A clock that goes on while the machine is suspended: the rental does as well.
double boottime_s() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string now_text() { return format_rfc3339_ms(unix_ms()); }

/// What a watch works with.
struct Watched {
  const Machine& machine;
  const Result& begun;
  const std::vector<Case>& choice;
  const std::optional<Spool>& spool;
};

class Watch {
 public:
  Watch(Watched watched, WatchStart start, const Result* earlier, WatchLog& log, Interruption& interruption,
        Progress& progress, bool quiet_stdout)
      : watched_(watched),
        start_(std::move(start)),
        book_(watched.choice, watched.begun.devices, earlier),
        log_(log),
        interruption_(interruption),
        progress_(progress),
        quiet_stdout_(quiet_stdout) {}

  void run() {
    log_.append("watch", start_json(start_, watched_.begun));
    double pause_s = first_pause_s(start_.watch_s, uniform_from_kernel());
    while (pause(pause_s)) {
      tell_suspension();
      probe();
      const WatchLeft left{start_.watch_s - elapsed_s(), start_.probing_limit_s - probing_s_, probe_s()};
      const std::optional<double> next_s = next_pause_s(left, uniform_from_kernel());
      if (!next_s) return end_because(left.probing_s < left.probe_s ? "limit" : "time");
      pause_s = *next_s;
    }
    end_because("interrupted");
  }

  /// Prints what came of it; the exit code.
  int report(bool json, const TextStyle& style) {
    const bool saved = log_.waiting().empty();
    WatchEnd end = end_;
    end.saved = saved;
    end.file = log_.file();
    progress_.clear_live_line();
    if (json) {
      nlohmann::json document = watch_json(start_, watched_.begun, book_, events_, end);
      if (!saved) document["lines"] = log_.waiting();
      print_out(document.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n");
    } else {
      print_out(watch_text(start_, book_, events_, end, style));
      for (const std::string& line : log_.waiting()) print_out(line + "\n");
    }
    return exit_code_for(outcome_, {saved, false, false});
  }

 private:
  [[nodiscard]] double elapsed_s() const { return boottime_s() - started_s_; }
  [[nodiscard]] double probe_s() const {
    return book_.probes().empty() ? kExpectedProbeS : probing_s_ / static_cast<double>(book_.probes().size());
  }

  /// False once it is to stop.
  bool pause(double seconds) {
    constexpr double kLongestS = 10;  // what poll() waits does not count while the machine is suspended
    const double until_s = boottime_s() + seconds;
    double left_s = seconds;
    while (left_s > 0 && !interruption_.requested()) {
      pollfd stop{interruption_.fd(), POLLIN, 0};
      ::poll(&stop, 1, static_cast<int>(std::min(left_s, kLongestS) * 1000) + 1);
      left_s = until_s - boottime_s();
    }
    return !interruption_.requested();
  }

  void tell(WatchEvent event) {
    log_.append("event", event_json(event));
    const std::string line = event.at + " " + event.kind + ": " + event.message;
    if (quiet_stdout_) {
      progress_.warn(printable(line));
    } else {
      progress_.clear_live_line();
      print_out(printable(line) + "\n");
    }
    events_.push_back(std::move(event));
  }

  void tell_suspension() {
    const double now_s = static_cast<double>(suspended_ns()) / 1e9;
    const double slept_s = now_s - std::exchange(suspended_s_, now_s);
    if (slept_s > kSuspensionWorthTellingS)
      tell({"suspended", now_text(), fmt::format("the machine was suspended for {:.0f} s", slept_s)});
  }

  void probe() {
    std::optional<FileDescriptor> lock;
    try {
      if (watched_.spool) lock = watched_.spool->lock_for_run();
    } catch (const Error& error) {
      // Another run; where the lock itself cannot be made there is nobody to wait for.
      if (error.code() == ErrorCode::busy) return progress_.say(fmt::format("not probed: {}", error.what()));
    }
    ProbeRecord record = measured(draw_probe(watched_.choice, below_from_kernel));
    log_.append("probe", probe_json(record));
    progress_.say(printable(probe_line(record, book_)));
    take_into_outcome(record);
    const bool failed = std::any_of(record.measurements.begin(), record.measurements.end(),
                                    [](const Measurement& each) { return each.status == CaseStatus::failed; });
    for (WatchEvent& event : book_.take(std::move(record))) tell(std::move(event));
    if (failed && !interruption_.requested()) tell_faults(std::chrono::milliseconds(1500));
  }

  ProbeRecord measured(const std::vector<Case>& cases) {
    ProbeRecord record;
    record.number = book_.probes().size() + 1;
    record.at = now_text();
    record.elapsed_s = elapsed_s();
    const double begun_s = monotonic_s();
    MeasureContext context;
    context.now_s = monotonic_s;
    context.deadline_s = begun_s + kMostProbeS;
    context.interrupt_fd = interruption_.fd();
    context.why_interrupted = [&] { return interruption_.reason(); };
    context.on_start = [](const Case& /*planned*/, std::size_t /*index*/) {};
    context.on_finished = [](const Measurement& /*measurement*/) {};
    // A probe is of devices alone: nothing around them.
    MeasureOutcome outcome =
        measure(cases, case_runner_maker(cases, watched_.machine, {}, context.deadline_s), context);
    record.took_s = monotonic_s() - begun_s;
    probing_s_ += record.took_s;
    record.measurements = normalize_all(std::move(outcome.measurements), watched_.begun.devices);
    record.reasons = std::move(outcome.reasons);
    return record;
  }

  /// For the exit code alone.
  void take_into_outcome(const ProbeRecord& record) {
    for (const Measurement& each : record.measurements) {
      Measurement status;
      status.status = each.status;
      outcome_.measurements.push_back(std::move(status));
    }
    outcome_.reasons.insert(outcome_.reasons.end(), record.reasons.begin(), record.reasons.end());
  }

  void tell_faults(std::chrono::milliseconds limit) {
    for (Reason& fault : faults_since(watched_.machine, limit).faults) {
      if (!broken_.insert(fault.device.value_or(-1)).second) continue;
      tell({std::string(name_of(ErrorCode::hardware_fault)), now_text(), fault.message, fault.device});
      outcome_.reasons.push_back(std::move(fault));
    }
  }

  void end_because(const char* why) {
    end_.why = why;
    const bool interrupted = end_.why == "interrupted";
    if (interrupted) {
      end_.explanation = interruption_.reason();
      outcome_.reasons.push_back({end_.why, end_.explanation, std::nullopt});
    } else {
      tell_faults(std::chrono::milliseconds(10'000));
      if (end_.why == "limit") end_.explanation = "ended early: what its probing may cost is used up";
    }
    outcome_.status = outcome_.reasons.empty() ? RunStatus::complete : RunStatus::partial;
    end_.ended_at = now_text();
    end_.elapsed_s = elapsed_s();
    end_.probing_s = probing_s_;
    log_.append("end", {{"at", end_.ended_at}, {"why", end_.why}, {"verdict", watch_verdict(book_.figures())}});
  }

  Watched watched_;
  WatchStart start_;
  WatchBook book_;
  WatchLog& log_;
  Interruption& interruption_;
  Progress& progress_;
  bool quiet_stdout_;
  double started_s_ = boottime_s();
  double suspended_s_ = static_cast<double>(suspended_ns()) / 1e9;
  double probing_s_ = 0;
  std::vector<WatchEvent> events_;
  std::set<int> broken_;
  WatchEnd end_;
  Result outcome_;
};

/// Throws Error{usage} where the limit of money cannot be kept to, or leaves no place for a probe.
WatchStart watch_start(const WatchOptions& options, const Result& begun, const std::optional<Result>& earlier) {
  WatchStart start;
  start.watch_id = begun.run_id;
  start.started_at = begun.started_at;
  start.watch_s = options.hours * kSecondsInHour;
  start.price_usd_per_hour = begun.price.price_instance_hour_usd;
  if (earlier) start.earlier_run = earlier->run_id;
  std::optional<double> affordable;
  if (options.max_cost_usd) {
    if (!start.price_usd_per_hour)
      throw Error(ErrorCode::usage,
                  "--max-cost needs the price of this machine, which is not known: say it with --price USD_PER_HOUR");
    affordable = affordable_s(*options.max_cost_usd, *start.price_usd_per_hour);
    if (*affordable < kExpectedProbeS)
      throw Error(ErrorCode::usage,
                  fmt::format("--max-cost is {:.2g} s of this machine, and a probe takes about {:g} s", *affordable,
                              kExpectedProbeS));
  }
  start.probing_limit_s = probing_limit_s(start.watch_s, affordable);
  return start;
}

Result begin_watch(const std::string& watch_id, const WatchOptions& options, const Machine& machine) {
  const std::int64_t now_ms = unix_ms();
  RunStart start;
  start.run_id = watch_id;
  start.started_at = format_rfc3339_ms(now_ms);
  start.profile = Profile::quick;
  start.agent = this_agent();
  start.simulated = machine.simulated;
  start.price_instance_hour_usd = price_six_places(options.price_usd_per_hour);
  return begin_result(start, machine.inventory);
}

}  // namespace

int execute(const WatchOptions& options, const Environment& environment) {
  constexpr std::chrono::seconds kPlatformLimit{6};
  const StopLine nothing_yet(StopMoment::before_measuring);
  Progress progress(stderr, environment.err_style, environment.verbosity);
  RunStore store = open_run_store(environment, progress);
  const IdentifierHash hash = identifier_hash(environment);
  const std::string watch_id = new_run_id(unix_ms());
  WatchLog log(store.spool, watch_id, progress);
  PlatformStage platform(environment, {options.provider, options.instance_type, options.region, options.pricing_model},
                         options.offline ? MetadataUse::none : MetadataUse::describe_and_watch, hash);
  for (const std::string& problem : platform.refused()) progress.warn(problem);
  Machine machine = look_at_machine(environment, *parse_device_choice(options.device));
  require_measurable(machine);
  hash_identifiers(machine, hash);
  platform.put_into(machine.inventory);
  Interruption interruption(platform.notices());
  Result begun = begin_watch(watch_id, options, machine);
  platform.complete(begun, std::chrono::steady_clock::now() + kPlatformLimit, interruption.fd());
  look_up_price(begun, environment, progress);
  store.run_lock.reset();  // between probes others may measure

  const std::optional<Result> earlier = newest_run_of_this_machine(store.spool, begun);
  const std::vector<Case> choice =
      probe_choice(plan(machine.inventory, Profile::quick), machine.inventory.devices, earlier ? &*earlier : nullptr);
  const WatchStart start = watch_start(options, begun, earlier);
  progress.say(fmt::format("watching for {:g} h, probing at most {:.0f} s, against {}", options.hours,
                           start.probing_limit_s, earlier ? "the run " + earlier->run_id : "the first probes"));
  Watch watch({machine, begun, choice, store.spool}, start, earlier ? &*earlier : nullptr, log, interruption, progress,
              options.json);
  watch.run();
  return watch.report(options.json, environment.out_style);
}

}  // namespace gpuassay
