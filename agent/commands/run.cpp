// gpuassay run: probe, plan, measure, normalize and score, save, report, upload.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

#include "agent/assemble.h"
#include "agent/backends/host_backend.h"
#include "agent/case_runner.h"
#include "agent/commands/collector_target.h"
#include "agent/commands/commands.h"
#include "agent/commands/contribute.h"
#include "agent/commands/earlier_run.h"
#include "agent/commands/keep_result.h"
#include "agent/commands/measure_run.h"
#include "agent/commands/network_target.h"
#include "agent/commands/once.h"
#include "agent/commands/repeat.h"
#include "agent/commands/result_file.h"
#include "agent/commands/run_price.h"
#include "agent/commands/run_store.h"
#include "agent/commands/send.h"
#include "agent/commands/verify.h"
#include "agent/driver_wait.h"
#include "agent/exit_code.h"
#include "agent/group/group_run.h"
#include "agent/interruption.h"
#include "agent/inventory.h"
#include "agent/plan.h"
#include "agent/platform/network_wait.h"
#include "agent/platform_stage.h"
#include "agent/report.h"
#include "agent/run_id.h"
#include "agent/stop_line.h"
#include "core/error.h"
#include "core/result_json.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

double budget_s(const RunOptions& options, std::size_t devices) {
  const double soak_s = options.soak_s ? *options.soak_s + kAroundSoakS : 0;  // all devices at the same time
  double budget = options.max_seconds.value_or(rules_of(options.profile, devices).wall_s + soak_s);
  if (options.max_cost_usd) budget = std::min(budget, affordable_s(*options.max_cost_usd, *options.price_usd_per_hour));
  return budget;
}

std::chrono::steady_clock::time_point time_from_now(double seconds) {
  using Clock = std::chrono::steady_clock;
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

RunStart run_start(const RunOptions& options, const Environment& environment, std::int64_t started_ms, bool simulated) {
  RunStart start;
  start.run_id = new_run_id(started_ms);
  start.started_at = format_rfc3339_ms(started_ms);
  start.profile = options.profile;
  start.agent = this_agent();
  start.trigger = environment.trigger.value_or(options.once ? Trigger::boot : Trigger::user);
  start.simulated = simulated;
  start.price_instance_hour_usd = price_six_places(options.price_usd_per_hour);
  return start;
}

/// What a slow metadata service still has to say must hold up neither a run that was told to end nor, for long, one
/// whose result is not saved yet.
void complete_platform(PlatformStage& platform, Result& begun, double left_s, const Interruption& interruption,
                       const Environment& environment, Progress& progress) {
  constexpr double kLongestS = 6;
  const auto deadline = time_from_now(std::clamp(left_s, 0.0, kLongestS));
  if (platform.complete(begun, deadline, interruption.fd())) look_up_price(begun, environment, progress);
}

/// The collector that gets the result for sure, or only after a question.
struct Sharing {
  std::optional<CollectorTarget> wanted, to_ask;
};

Sharing sharing_of(const RunOptions& options, const Environment& environment) {
  if (options.upload_url) return {collector_target(*options.upload_url, options.network), std::nullopt};
  return {std::nullopt, collector_to_ask_about(options, environment)};
}

/// The report goes to stdout, or to stderr when the document is there; --quiet then leaves it out, unless it has to say
/// that something was not saved.
void show(const Result& result, const ReportContext& report, bool to_stderr, bool is_urgent,
          const Environment& environment) {
  if (!to_stderr) {
    print_out(render_report(result, report, environment.out_style));
  } else if (environment.verbosity != Verbosity::quiet || is_urgent) {
    std::fputs(render_report(result, report, environment.err_style).c_str(), stderr);
  }
}

/// Nobody may be there to start an unattended run again when the driver is late.
Machine look(const RunOptions& options, const Environment& environment, double limit_s, Progress& progress) {
  const DeviceChoice choice = *parse_device_choice(options.device);
  return options.once ? look_while_booting(environment, choice, limit_s, progress)
                      : look_at_machine(environment, choice, limit_s);
}

/// How a run ended, and where its document is.
struct Ended {
  const Result& result;
  const std::string& body;
  const Kept& kept;
  const Machine& machine;
  bool stopped = false;  ///< somebody asked for it, who then waits for nothing but the report
};

void tell(const Ended& run, RunPart part, const ReportContext& report, const Environment& environment,
          Progress& progress) {
  progress.clear_live_line();
  if (part != RunPart::of_json)
    return show(run.result, report, run.kept.on_stdout, !(run.kept.saved.durable && run.kept.out_written), environment);
  for (const std::string& note : report.notes) progress.say(printable(note));
}

/// Sends the result where it was to go, shows it, asks whether it may go further and says what it lacks; the exit code.
int deliver(const Ended& run, RunPart part, const RunOptions& options, const Sharing& sharing,
            const std::optional<Spool>& spool, const Environment& environment, Progress& progress) {
  const Result& result = run.result;
  const bool durable = run.kept.saved.durable;
  RunOutcome outcome{durable && run.kept.out_written, false};
  ReportContext report{run.kept.saved.where, {}, durable ? environment.invocation + " show " + result.run_id : ""};
  if (run.stopped) tell(run, part, report, environment, progress);
  if (sharing.wanted) {
    const StopLine line(durable ? StopMoment::while_sending : StopMoment::while_sending_what_is_not_saved);
    const SendReport sent = send(result.run_id, run.body, *sharing.wanted, spool, environment, kRunPatience);
    outcome.upload_failed = !sent.accepted;
    report.notes = sent.notes;
    if (options.verified && sent.accepted && !run.stopped) {
      const StopLine verifying(StopMoment::while_verifying);
      for (std::string& note : verify(result, run.machine, *sharing.wanted, environment, progress))
        report.notes.push_back(std::move(note));
    }
  }
  if (!run.stopped) tell(run, part, report, environment, progress);
  for (const std::string& note : run.stopped ? report.notes : std::vector<std::string>())
    progress.warn(printable(note));
  if (part == RunPart::whole && sharing.to_ask && durable && !run.stopped && !result.simulated &&
      result.status != RunStatus::failed)
    outcome.upload_failed = !offer_contribution(result, run.body, *sharing.to_ask, spool, environment);
  for (const std::string& line : unmet_requirements(options.requirements, result)) {
    progress.warn(line);
    outcome.falls_short = true;
  }
  return exit_code_for(result, outcome);
}

/// A run that is about to measure.
struct BegunRun {
  Machine machine;
  HostSelection host;
  std::vector<Case> cases;
  RunLimits limits;
  Result result;  ///< as the journal has it
};

BegunRun begin_run(const RunOptions& options, const Environment& environment, Machine machine,
                   const HostSelection& around, PlatformStage& platform, const IdentifierHash& hash, double started_s,
                   std::int64_t started_ms, LeadingRun* group, Progress& progress) {
  BegunRun run;
  const RunStart start = run_start(options, environment, started_ms, machine.simulated);
  run.limits = {started_s, budget_s(options, machine.inventory.devices.size()), options.price_usd_per_hour};
  run.cases = group != nullptr
                  ? gather(*group, machine, environment, options.profile, run.limits.budget_s, progress)
                  : plan(machine.inventory, options.profile, options.soak_s, options.network_target.has_value());
  run.host = around;
  run.host.cpu = machine.inventory.cpu;
  hash_identifiers(machine, hash);  // with the key of the data directory, which exists now if it can
  platform.put_into(machine.inventory);
  run.result = begin_result(start, machine.inventory);
  run.machine = std::move(machine);
  look_up_price(run.result, environment, progress);
  return run;
}

/// Measures, completes what came late, and scores.
Result measure_and_score(BegunRun& run, LeadingRun* group, RunStore& store, PlatformStage& platform,
                         Interruption& interruption, const Environment& environment, Progress& progress) {
  progress.say(fmt::format("measuring {} cases, at most {:.0f} s", run.cases.size(), run.limits.budget_s));
  RunEnd end = measure_run(run.cases, run.machine, run.host, run.limits, group, store, progress, interruption);
  if (group != nullptr) put_nodes_into(run.result, *group);
  const double left_s = end.reasons.empty() ? run.limits.left_s() - kReserveS : 0;
  complete_platform(platform, run.result, left_s, interruption, environment, progress);
  progress.say(fmt::format("measured for {:.0f} s; scoring and saving", end.duration_s));
  return finish_result(std::move(run.result), std::move(end));
}

OneRun measure_once(const RunOptions& options, const Environment& environment, RunPart part,
                    LeadingRun* group = nullptr) {
  const StopLine nothing_yet(StopMoment::before_measuring);
  const double called_s = monotonic_s();
  const std::int64_t called_ms = unix_ms();
  Progress progress(stderr, environment.err_style, environment.verbosity);
  if (options.out) require_writable(*options.out);
  const Sharing sharing = sharing_of(options, environment);  // a typing error must not cost a measurement
  const HostSelection around{{}, environment.data_dir, network_call(options)};

  RunStore store =
      open_run_store(environment, progress);  // first: another run's measurement must not be disturbed by a look
  const IdentifierHash hash = identifier_hash(environment);
  PlatformStage platform(environment, {options.provider, options.instance_type, options.region, options.pricing_model},
                         options.offline ? MetadataUse::none : MetadataUse::describe_and_watch, hash,
                         options.once ? kNetworkWait : std::chrono::seconds(0));  // before the GPUs: it asks meanwhile
  for (const std::string& problem : platform.refused()) progress.warn(problem);
  Machine machine = look(options, environment, budget_s(options, 1) - kReserveS, progress);
  std::optional<OnceMarker> once;
  if (options.once) once.emplace(once_marker(*options.once, environment, hash, platform, store.spool));
  if (once && once->answer() != OnceAnswer::measure)
    return {use_earlier_run(*once, options, sharing.wanted, store.spool, environment, progress)};
  if (group != nullptr) keep_own_device(machine, group->launch);
  require_measurable(machine);
  // To wait for a driver and a cloud that are late is not to measure.
  BegunRun run = begin_run(options, environment, std::move(machine), around, platform, hash,
                           once ? monotonic_s() : called_s, once ? unix_ms() : called_ms, group, progress);
  // Until the result is safe, a signal or the provider asks for a partial one; a second Ctrl-C changes nothing.
  std::optional<Interruption> interruption(std::in_place, platform.notices());
  store.begin(run.result);
  if (once) once->begin(run.result.run_id, progress);

  Result result = measure_and_score(run, group, store, platform, *interruption, environment, progress);
  const std::string body = canonical_json(result);
  const Kept kept = keep(result, body, options, part, store, progress);
  if (once) once->end(result, kept.saved.durable, progress);
  const bool stopped = interruption->requested();
  interruption.reset();

  const int exit_code =
      deliver({result, body, kept, run.machine, stopped}, part, options, sharing, store.spool, environment, progress);
  if (group != nullptr) group->lead.end(exit_code);
  return {exit_code, std::move(result), kept.saved.durable, stopped};
}

}  // namespace

int execute(const RunOptions& options, const Environment& environment) {
  if (const auto launch = launch_from([](const char* name) { return std::getenv(name); })) {
    require_group_options(options);
    if (launch->rank > 0) return follow(options, environment, *launch);
    LeadingRun group(*launch);
    return measure_once(options, environment, RunPart::whole, &group).exit_code;
  }
  if (options.repeat > 1) {
    return repeat_runs(options, environment, [](const RunOptions& each, const Environment& own, RunPart part) {
      return measure_once(each, own, part);
    });
  }
  return measure_once(options, environment, RunPart::whole).exit_code;
}

}  // namespace gpuassay
