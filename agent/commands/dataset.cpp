// gpuassay upload: the local end of the shared dataset.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "agent/commands/collector_target.h"
#include "agent/commands/commands.h"
#include "agent/commands/delete_run.h"
#include "agent/commands/end_key.h"
#include "agent/commands/send.h"
#include "agent/exit_code.h"
#include "agent/report.h"
#include "agent/sendable.h"
#include "agent/spool.h"
#include "core/error.h"
#include "core/signature.h"

namespace gpuassay {
namespace {

constexpr std::string_view kResultSuffix = ".json";

/// Run ids of results to send, oldest first: those with neither a receipt nor a refusal, or all; never one that is
/// withdrawn.
std::vector<std::string> to_send(const Spool& spool, bool all) {
  std::set<std::string> settled;
  for (const std::string_view suffix : {kWithdrawnSuffix, kReceiptSuffix, kRejectedSuffix}) {
    if (all && suffix != kWithdrawnSuffix) continue;
    for (const std::string& name : spool.list(suffix)) settled.insert(name.substr(0, name.size() - suffix.size()));
  }
  std::vector<std::string> run_ids;
  for (const std::string& name : spool.list(kResultSuffix)) {
    std::string run_id = name.substr(0, name.size() - kResultSuffix.size());
    if (!settled.contains(run_id)) run_ids.push_back(std::move(run_id));
  }
  return run_ids;
}

/// The exact bytes that would be sent, each body on a line of its own (it has no line breaks); what is not body goes to
/// stderr.
void print_bodies(const std::vector<std::string>& run_ids, const Spool& spool, const std::string& collector) {
  for (const std::string& run_id : run_ids) {
    const auto body = spool.read(run_id + std::string(kResultSuffix));
    if (!body) continue;
    std::fputs(fmt::format("{}: {} bytes, SHA-256 {}, would be sent to {}\n", run_id, body->size(), sha256_hex(*body),
                           collector)
                   .c_str(),
               stderr);
    std::fwrite(body->data(), 1, body->size(), stdout);
    print_out("\n");
  }
}

/// Why this file is not sent at all; empty when it may be. What nobody will ever take is put aside.
std::string not_to_be_sent(const std::string& run_id, const std::string& body, const Spool& spool) {
  const SendableAnswer looked = look_at_saved_result(run_id, body);
  if (looked.sendable == Sendable::yes) return {};
  if (looked.sendable == Sendable::newer) return "NOT UPLOADED, left alone: " + looked.reason;
  try {
    spool.set_result_aside(run_id);
  } catch (const Error& error) {
    return fmt::format("NOT UPLOADED, its file is damaged ({}) and stays: {}", looked.reason, error.what());
  }
  return fmt::format("NOT UPLOADED, its file is damaged ({}) and now called {}.json.corrupt", looked.reason, run_id);
}

/// Sends the runs one after the other until the collector cannot take more; the exit code.
int send_all(const std::vector<std::string>& run_ids, const CollectorTarget& target, const std::optional<Spool>& spool,
             const Environment& environment) {
  const UploadWorld world = real_upload_world();
  auto last_success = world.now();
  int exit_code = kExitOk;
  bool compare = true;
  for (std::size_t i = 0; i < run_ids.size(); ++i) {
    const std::string& run_id = run_ids[i];
    const std::optional<std::string> body = spool->read(run_id + std::string(kResultSuffix));
    const std::string obstacle = body ? not_to_be_sent(run_id, *body, *spool) : "NOT UPLOADED: its file cannot be read";
    SendReport sent{false, true, true, {obstacle}};
    // Waiting for a busy collector is counted together, not for each run anew.
    const auto patience = std::max(kUploadPatience - (world.now() - last_success), std::chrono::milliseconds{0});
    if (obstacle.empty()) sent = send(run_id, *body, target, spool, environment, patience, compare);
    for (const std::string& note : sent.notes) print_out(fmt::format("{} {}\n", run_id, printable(note)));
    if (sent.accepted) last_success = world.now();
    compare = compare && sent.comparison_works;  // a slow answer that fails is not waited for again
    if (!sent.accepted) exit_code = kExitNotSaved;
    const std::size_t left = run_ids.size() - i - 1;
    if (!sent.next_may_succeed && left > 0) {
      print_out(fmt::format("{} more {}; send later with: {}\n", left, left == 1 ? "result waits" : "results wait",
                            upload_command(target, environment)));
      return exit_code;
    }
  }
  return exit_code;
}

std::string collector_url(const UploadOptions& options, const Environment& environment) {
  if (options.collector) return *options.collector;
  if (environment.collector) return *environment.collector;
  throw Error(ErrorCode::usage, "no collector is known; name one with --collector URL or GPUASSAY_COLLECTOR");
}

}  // namespace

int execute(const UploadOptions& options, const Environment& environment) {
  const CollectorTarget target = collector_target(collector_url(options, environment), options.network);
  const std::optional<Spool> spool(std::in_place, environment.data_dir);
  if (options.delete_run_id) return delete_run(*options.delete_run_id, target, *spool, environment);
  if (options.replace_key) return replace_key(target, environment);
  if (options.revoke_key) return revoke_key(target, environment);
  const std::vector<std::string> run_ids = to_send(*spool, options.all);
  if (run_ids.empty()) print_out("every saved result has been dealt with; nothing to send\n");
  if (options.dry_run) {
    print_bodies(run_ids, *spool, target.url);
    return kExitOk;
  }
  return send_all(run_ids, target, spool, environment);
}

}  // namespace gpuassay
