#include "agent/deletion.h"

#include <fmt/format.h>

#include "agent/retry_policy.h"
#include "agent/server_answer.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

/// The tombstone's bytes: the body of a 200; a 204 has no body, so there it is the header Gpuassay-Tombstone in base64.
std::string tombstone_of(const HttpAnswer& answer) {
  constexpr int kNoContent = 204;
  if (answer.status != kNoContent) return answer.body;
  return from_base64(header_of(answer, "gpuassay-tombstone")).value_or("");
}

DeletionReply check_tombstone(const HttpAnswer& answer, const std::string& run_id) {
  std::string bytes = tombstone_of(answer);
  std::string problem;
  if (verified_tombstone(bytes, run_id, problem)) return {DeletionStatus::deleted, std::move(bytes), ""};
  return {DeletionStatus::deferred, "",
          fmt::format("HTTP {}, but {}: this may not be a collector", answer.status, problem)};
}

DeletionReply judge(const HttpAnswer& answer, const std::string& run_id) {
  switch (answer.status) {
    case 200:
    case 204: return check_tombstone(answer, run_id);
    case 404: return {DeletionStatus::never_there, "", ""};
    case 410: return {DeletionStatus::gone, "", ""};
    default: break;
  }
  const bool is_final = is_final_refusal(answer.status);
  return {is_final ? DeletionStatus::refused : DeletionStatus::deferred, "", refusal_text(answer)};
}

}  // namespace

DeletionReply delete_result(const CollectorAccess& access, const std::string& run_id, const UploadWorld& world) {
  const HttpCall call = signed_call(access, "DELETE", "/v1/results/" + run_id, deletion_signing_message(run_id));
  const ShortAnswer reply = ask_shortly(call, world);
  if (!reply.answer) return {DeletionStatus::deferred, "", reply.problem};
  return judge(*reply.answer, run_id);
}

}  // namespace gpuassay
