// gpuassay run: probe, plan, measure, normalize and score, save, report, upload.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "agent/assemble.h"
#include "agent/commands/case_runner.h"
#include "agent/commands/collector_target.h"
#include "agent/commands/commands.h"
#include "agent/commands/contribute.h"
#include "agent/commands/earlier_run.h"
#include "agent/commands/once.h"
#include "agent/commands/repeat.h"
#include "agent/commands/result_file.h"
#include "agent/commands/run_store.h"
#include "agent/commands/send.h"
#include "agent/driver_wait.h"
#include "agent/exit_code.h"
#include "agent/group/group_run.h"
#include "agent/interruption.h"
#include "agent/inventory.h"
#include "agent/journal_record.h"
#include "agent/measure.h"
#include "agent/plan.h"
#include "agent/platform/network_wait.h"
#include "agent/platform_stage.h"
#include "agent/price_database.h"
#include "agent/price_report.h"
#include "agent/report.h"
#include "agent/run_id.h"
#include "agent/spool.h"
#include "agent/system_root.h"
#include "core/build_info.h"
#include "core/error.h"
#include "core/money.h"
#include "core/normalize.h"
#include "core/price_join.h"
#include "core/price_question.h"
#include "core/result_json.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// Kept back from the wall-clock limit for saving, scoring and ending the worker; with GPUs also for asking NVML what
/// broke.
constexpr double kReserveS = 0.5;
constexpr std::chrono::milliseconds kHealthLimit{1500}, kLongestHealthLimit{10'000};

double budget_s(const RunOptions& options, std::size_t devices) {
  const double soak_s = options.soak_s ? (*options.soak_s + kAroundSoakS) * static_cast<double>(devices) : 0;
  double budget = options.max_seconds.value_or(rules_of(options.profile).wall_s + soak_s);
  if (options.max_cost_usd) {
    constexpr double kSecondsPerHour = 3600;
    const double cost = static_cast<double>(parse_micros(*options.max_cost_usd));
    const double price = static_cast<double>(parse_micros(*options.price_usd_per_hour));
    budget = std::min(budget, cost / price * kSecondsPerHour);
  }
  return budget;
}

std::chrono::steady_clock::time_point time_from_now(double seconds) {
  using Clock = std::chrono::steady_clock;
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::optional<std::string> price_six_places(const RunOptions& options) {
  if (!options.price_usd_per_hour) return std::nullopt;
  return format_micros(parse_micros(*options.price_usd_per_hour));
}

RunStart run_start(const RunOptions& options, const Environment& environment, std::int64_t started_ms, bool simulated) {
  RunStart start;
  start.run_id = new_run_id(started_ms);
  start.started_at = format_rfc3339_ms(started_ms);
  start.profile = options.profile;
  const BuildInfo build = build_info();
  start.agent = {std::string(build.version), std::string(build.commit), "", std::string(build.build)};
  start.trigger = environment.trigger.value_or(options.once ? Trigger::boot : Trigger::user);
  start.simulated = simulated;
  start.price_instance_hour_usd = price_six_places(options);
  return start;
}

/// The price that belongs to this machine now. Prices that cannot be read must not cost the measurement.
void look_up_price(Result& begun, const Environment& environment, Progress& progress) {
  if (is_part_of_machine(begun)) {
    PriceMatch none;
    none.reason = kPartOfMachine;
    return apply_price_match(begun, none, "a price is of the whole machine, of which only some GPUs were measured");
  }
  try {
    SqliteDatabase database = open_prices(environment.data_dir);
    const PriceAnswer answer = join_prices(database, {price_question(begun)}, {}).front();
    apply_price_match(begun, price_block(answer), answer.reason ? reason_text(*answer.reason) : "");
  } catch (const Error& error) {
    progress.warn(fmt::format("no price was looked up: {}", error.what()));
  }
}

/// What a slow metadata service still has to say must hold up neither a run that was told to end nor, for long, one
/// whose result is not saved yet.
void complete_platform(PlatformStage& platform, Result& begun, double left_s, const Interruption& interruption,
                       const Environment& environment, Progress& progress) {
  constexpr double kLongestS = 6;
  const auto deadline = time_from_now(std::clamp(left_s, 0.0, kLongestS));
  if (platform.complete(begun, deadline, interruption.fd())) look_up_price(begun, environment, progress);
}

RunEnd measure_cases(const std::vector<Case>& cases, const Machine& machine, double started_s, double budget,
                     RunStore& store, Progress& progress, const RunOptions& options, Interruption& interruption,
                     LeadingRun* group) {
  ProgressState state;
  state.total = cases.size();
  state.budget_s = budget;
  if (options.price_usd_per_hour)
    state.usd_per_hour = static_cast<double>(parse_micros(*options.price_usd_per_hour)) / 1e6;
  MeasureContext context;
  context.now_s = monotonic_s;
  const double health_s = machine.selections.empty() ? 0 : std::chrono::duration<double>(kHealthLimit).count();
  context.deadline_s = started_s + std::max(budget - kReserveS - health_s, 0.0);
  context.interrupt_fd = interruption.fd();
  context.why_interrupted = [&] { return interruption.reason(); };
  context.on_start = [&](const Case& planned, std::size_t index) {
    state.case_id = planned.id;
    state.finished = index;
    state.elapsed_s = monotonic_s() - started_s;
    progress.update(state);
  };
  context.on_finished = [&](const Measurement& measurement) {
    const bool journal_was_whole = store.problem.empty();
    store.attempt([&](const Spool& /*spool*/) {
      if (store.journal) store.journal->append(journal_case_line(measurement, monotonic_s() - started_s));
    });
    if (journal_was_whole && !store.problem.empty()) progress.warn(store.problem + " (a kill now would lose cases)");
    const Measurement figures = normalize(measurement, nullptr);
    state.last_figure = figure_text(figures);
    progress.finished_case(figures);
  };
  MeasureOutcome outcome = group != nullptr ? measure_in_group(*group, cases, machine, context)
                                            : measure(cases, runner_maker(cases, machine, context.deadline_s), context);
  const auto left = std::chrono::duration<double>(started_s + budget - monotonic_s());
  // Who asked it to stop does not wait for long.
  const bool interrupted = std::any_of(outcome.reasons.begin(), outcome.reasons.end(),
                                       [](const Reason& reason) { return reason.code == "interrupted"; });
  const auto longest = interrupted ? kHealthLimit : kLongestHealthLimit;
  FaultsSince since = faults_since(
      machine, std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(left), kHealthLimit, longest));
  for (Reason& fault : since.faults) outcome.reasons.push_back(std::move(fault));
  return {std::move(outcome.measurements), std::move(outcome.reasons), format_rfc3339_ms(unix_ms()),
          monotonic_s() - started_s, std::move(since.unknown)};
}

/// Saves where it can; what could not be saved goes to stdout, so that nothing measured is lost.
struct Saved {
  bool durable = false;
  std::string where;
};

Saved save(const Result& result, const std::string& body, const RunStore& store) {
  if (!store.spool) return {false, "NOT SAVED: " + store.problem};
  const std::string name = result.run_id + ".json";
  try {
    store.spool->save(name, body);
    store.spool->remove_journal(result.run_id);
    return {true, store.spool->path_of(name).string()};
  } catch (const Error& error) {
    return {false, std::string("NOT SAVED: ") + error.what()};
  }
}

/// Writes --out when asked to; false when that failed, which is told at once.
bool write_out(const RunOptions& options, const std::string& body, Progress& progress) {
  if (!options.out) return true;
  try {
    write_result_file(*options.out, body);
    return true;
  } catch (const Error& error) {
    progress.warn(error.what());
    return false;
  }
}

/// Where the document went.
struct Kept {
  Saved saved;
  bool out_written = false;
  bool on_stdout = false;  ///< the document itself; the report then goes to stderr
};

Kept keep(const Result& result, const std::string& body, const RunOptions& options, RunPart part, RunStore& store,
          Progress& progress) {
  Kept kept{save(result, body, store), write_out(options, body, progress), false};
  const bool nowhere_else = !kept.out_written || !(kept.saved.durable || options.out);
  kept.on_stdout = part != RunPart::of_json && (options.json || nowhere_else);
  const bool printed = kept.on_stdout && print_out(body + "\n");
  // The whole document went out: the journal must not become another, shorter result of the same run.
  if (!kept.saved.durable && (printed || (options.out && kept.out_written))) {
    store.attempt([&](const Spool& spool) { spool.remove_journal(result.run_id); });
  }
  return kept;
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

/// Sends the result where it was to go, shows it, asks whether it may go further and says what it lacks; the exit code.
int deliver(const Result& result, RunPart part, const std::string& body, const Kept& kept, const RunOptions& options,
            const Sharing& sharing, const std::optional<Spool>& spool, const Environment& environment,
            Progress& progress) {
  const bool durable = kept.saved.durable;
  RunOutcome outcome{durable && kept.out_written, false};
  ReportContext report{kept.saved.where, {}, durable ? environment.invocation + " show " + result.run_id : ""};
  if (sharing.wanted) {
    const SendReport sent = send(result.run_id, body, *sharing.wanted, spool, environment, kRunPatience);
    outcome.upload_failed = !sent.accepted;
    report.notes = sent.notes;
  }
  progress.clear_live_line();
  if (part == RunPart::of_json) {
    for (const std::string& note : report.notes) progress.say(printable(note));
  } else {
    show(result, report, kept.on_stdout, !outcome.saved, environment);
  }
  if (part == RunPart::whole && sharing.to_ask && durable && !result.simulated && result.status != RunStatus::failed)
    outcome.upload_failed = !offer_contribution(result, body, *sharing.to_ask, spool, environment);
  for (const std::string& line : unmet_requirements(options.requirements, result)) {
    progress.warn(line);
    outcome.falls_short = true;
  }
  return exit_code_for(result, outcome);
}

OneRun measure_once(const RunOptions& options, const Environment& environment, RunPart part,
                    LeadingRun* group = nullptr) {
  const double called_s = monotonic_s();
  const std::int64_t called_ms = unix_ms();
  Progress progress(stderr, environment.err_style, environment.verbosity);
  if (options.out) require_writable(*options.out);
  const Sharing sharing = sharing_of(options, environment);  // a typing error must not cost a measurement

  RunStore store =
      open_run_store(environment, progress);  // first: another run's measurement must not be disturbed by a look
  const IdentifierHash hash = identifier_hash(environment);
  PlatformStage platform(environment, {options.provider, options.instance_type, options.region, options.pricing_model},
                         options.offline ? MetadataUse::none : MetadataUse::describe_and_watch, hash,
                         options.once ? kNetworkWait : std::chrono::seconds(0));  // before the GPUs: it asks meanwhile
  for (const std::string& problem : platform.refused()) progress.warn(problem);
  Machine machine = look(options, environment, budget_s(options, 0) - kReserveS, progress);
  std::optional<OnceMarker> once;
  if (options.once) once.emplace(once_marker(*options.once, environment, hash, platform, store.spool));
  if (once && once->answer() != OnceAnswer::measure)
    return {use_earlier_run(*once, options, sharing.wanted, store.spool, environment, progress)};
  if (group != nullptr) keep_own_device(machine, group->launch);
  require_measurable(machine);
  // To wait for a driver and a cloud that are late is not to measure.
  const double started_s = once ? monotonic_s() : called_s;
  const std::int64_t started_ms = once ? unix_ms() : called_ms;
  const RunStart start = run_start(options, environment, started_ms, machine.simulated);
  const double budget = budget_s(options, machine.inventory.devices.size());
  const std::vector<Case> cases = group != nullptr ? gather(*group, machine, environment, options.profile, budget)
                                                   : plan(machine.inventory, options.profile, options.soak_s);
  hash_identifiers(machine, hash);  // with the key of the data directory, which exists now if it can
  platform.put_into(machine.inventory);
  Result begun = begin_result(start, machine.inventory);
  look_up_price(begun, environment, progress);
  // Until the result is safe, a signal or the provider asks for a partial one; a second Ctrl-C changes nothing.
  std::optional<Interruption> interruption(std::in_place, platform.notices());
  store.attempt([&](const Spool& spool) {
    store.journal = spool.start_journal(start.run_id);
    store.journal->append(journal_first_line(begun));
  });
  if (once) once->begin(start.run_id, progress);

  progress.say(fmt::format("measuring {} cases, at most {:.0f} s", cases.size(), budget));
  RunEnd end = measure_cases(cases, machine, started_s, budget, store, progress, options, *interruption, group);
  if (group != nullptr) put_nodes_into(begun, *group);
  const double left_s = end.reasons.empty() ? started_s + budget - kReserveS - monotonic_s() : 0;
  complete_platform(platform, begun, left_s, *interruption, environment, progress);
  progress.say(fmt::format("measured for {:.0f} s; scoring and saving", end.duration_s));
  Result result = finish_result(begun, std::move(end));
  const std::string body = canonical_json(result);

  const Kept kept = keep(result, body, options, part, store, progress);
  if (once) once->end(result, kept.saved.durable, progress);
  const bool stopped = interruption->requested();
  interruption.reset();

  const int exit_code = deliver(result, part, body, kept, options, sharing, store.spool, environment, progress);
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
