#include "agent/commands/delete_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "agent/commands/end_key.h"
#include "agent/commands/send.h"
#include "agent/deletion.h"
#include "agent/exit_code.h"
#include "agent/run_id.h"
#include "agent/text_page.h"
#include "core/error.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// First of all: whatever happens later, a run that somebody wants deleted is not sent again.
void note_withdrawal(const std::string& run_id, const std::string& collector_url, const Spool& spool) {
  const std::string name = run_id + kWithdrawnSuffix;
  if (spool.read(name)) return;
  spool.save(name, nlohmann::json{{"collector", collector_url}, {"requested_at", format_rfc3339_ms(unix_ms())}}.dump());
}

/// The proof is kept; the first one, when two collectors had the run.
void keep_proof(const std::string& run_id, const std::string& tombstone, const Spool& spool) {
  const std::string name = run_id + kDeletedSuffix;
  if (!spool.read(name)) spool.save(name, tombstone);
}

std::string words_for(const DeletionReply& outcome, const CollectorTarget& target, const std::string& retry) {
  switch (outcome.status) {
    case DeletionStatus::deleted: return fmt::format("deleted at {}; it is never sent again", target.url);
    case DeletionStatus::gone: return fmt::format("had been deleted at {} before; it is never sent again", target.url);
    case DeletionStatus::never_there:
      return fmt::format("is not at {} (HTTP 404), so there is nothing to delete; it is never sent again", target.url);
    case DeletionStatus::refused: return fmt::format("NOT DELETED, the collector refuses: {}", outcome.reason);
    case DeletionStatus::deferred: return fmt::format("NOT DELETED: {}; try again with: {}", outcome.reason, retry);
  }
  return {};
}

bool is_there_no_more(DeletionStatus status) {
  return status == DeletionStatus::deleted || status == DeletionStatus::gone || status == DeletionStatus::never_there;
}

}  // namespace

int delete_run(const std::string& run_id, const CollectorTarget& target, const Spool& spool,
               const Environment& environment) {
  if (!is_run_id(run_id))
    throw Error(ErrorCode::usage,
                "--delete wants a run id such as 0190b5a4-7c1d-7b3e-9f00-0123456789ab; it is the "
                "last part of the link");
  note_withdrawal(run_id, target.url, spool);
  const DeletionReply outcome =
      delete_result({target.url, machine_key(environment), target.ca_bundles, target.user_agent, target.proxy}, run_id,
                    upload_world(environment));
  if (outcome.status == DeletionStatus::deleted) keep_proof(run_id, outcome.tombstone, spool);
  const std::string words = words_for(outcome, target, delete_command(run_id, target, environment));
  print_out(fmt::format("{} {}\n", run_id, printable(words)));
  return is_there_no_more(outcome.status) ? kExitOk : kExitNotSaved;
}

}  // namespace gpuassay
