#include "agent/commands/send.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/commands/end_key.h"
#include "agent/percentile.h"
#include "core/error.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

UploadRequest request_for(const std::string& run_id, const std::string& body, const CollectorTarget& target,
                          const Environment& environment, milliseconds patience) {
  return {target.url,        run_id,       body,    machine_key(environment), std::nullopt, target.ca_bundles,
          target.user_agent, target.proxy, patience};
}

/// What is kept of a refusal, so that nobody wonders later why the run is not in the dataset.
std::string rejection_text(const UploadOutcome& outcome, const std::string& collector_url) {
  nlohmann::json text{{"collector", collector_url}, {"reason", outcome.reason}};
  if (outcome.http_status) text["http_status"] = *outcome.http_status;
  return text.dump();
}

/// How the run compares with others, as the collector says; nothing when there is nothing to compare or the collector
/// is too old to know. One short attempt: it is a courtesy, and the upload is done.
void add_comparison(const std::string& body, const CollectorTarget& target, SendReport& report) {
  constexpr milliseconds kPatience{5'000};
  constexpr int kNotFound = 404;
  try {
    const auto question = percentile_question(parse_result(body));
    if (!question) return;
    HttpCall call;
    call.method = "GET";
    call.url = parse_url(target.url);
    call.target = call.url.path + percentile_target(*question);
    call.headers = {{"Accept", "application/json"}, {"User-Agent", target.user_agent}};
    call.limits.connect_time = call.limits.total_time = kPatience;
    call.ca_bundles = target.ca_bundles;
    call.proxy = target.proxy;
    const HttpAnswer answer = http_exchange(call);
    if (answer.status == kNotFound) return;
    if (answer.status != 200) throw Error(ErrorCode::network, fmt::format("HTTP {}", answer.status));
    report.notes.push_back(percentile_line(parse_percentile(answer.body, *question)));
  } catch (const Error& error) {
    report.comparison_works = false;
    report.notes.push_back(std::string("not compared with other runs: ") + error.what());
  }
}

/// Keeps `text` beside the run. What an earlier upload left there stays: it is as true as before.
void keep_beside(const std::optional<Spool>& spool, const std::string& name, const std::string& text,
                 std::vector<std::string>& notes) {
  if (!spool || spool->read(name)) return;
  try {
    spool->save(name, text);
  } catch (const Error& error) {
    notes.push_back(
        fmt::format("but not noted down, so the next upload sends it again, which changes nothing: {}", error.what()));
  }
}

SendReport report_of(const UploadOutcome& outcome, const std::string& run_id, const std::string& body,
                     const CollectorTarget& target, const std::optional<Spool>& spool, const Environment& environment,
                     bool compare) {
  SendReport report;
  report.next_may_succeed = next_may_succeed(outcome);
  switch (outcome.status) {
    case UploadStatus::accepted:
      report.accepted = true;
      report.notes.push_back("uploaded: " + run_link(target.url, run_id));
      keep_beside(spool, run_id + kReceiptSuffix, outcome.receipt, report.notes);
      if (!outcome.quarantine.empty())
        report.notes.push_back("kept there, but it counts in no aggregate and no export: " + outcome.quarantine);
      if (compare) add_comparison(body, target, report);
      report.notes.push_back("delete it there with: " + delete_command(run_id, target, environment));
      break;
    case UploadStatus::rejected:
      report.notes.push_back("NOT UPLOADED, the collector refuses this result: " + outcome.reason);
      keep_beside(spool, run_id + kRejectedSuffix, rejection_text(outcome, target.url), report.notes);
      break;
    case UploadStatus::deferred:
      report.notes.push_back(fmt::format("NOT UPLOADED: {}; {}: {}", outcome.reason,
                                         spool && spool->read(run_id + ".json")
                                             ? "the result waits; send it later with"
                                             : "the result was not saved, so it cannot be sent later with",
                                         upload_command(target, environment)));
      break;
  }
  return report;
}

}  // namespace

UploadWorld upload_world(const Environment& environment) {
  UploadWorld world = real_upload_world();
  if (environment.verbosity == Verbosity::quiet) return world;
  world.sleep = [sleep = world.sleep](milliseconds duration) {
    constexpr milliseconds kWorthTelling{2'000};
    if (duration >= kWorthTelling)
      std::fputs(fmt::format("not sent yet; the next attempt is in {} s\n", duration.count() / 1000).c_str(), stderr);
    sleep(duration);
  };
  return world;
}

SendReport send(const std::string& run_id, const std::string& body, const CollectorTarget& target,
                const std::optional<Spool>& spool, const Environment& environment, milliseconds patience,
                bool compare) {
  try {
    const UploadOutcome outcome =
        upload_result(request_for(run_id, body, target, environment, patience), upload_world(environment));
    return report_of(outcome, run_id, body, target, spool, environment, compare);
  } catch (const Error& error) {
    return {false, false, true, {std::string("NOT UPLOADED: ") + error.what()}};
  }
}

}  // namespace gpuassay
