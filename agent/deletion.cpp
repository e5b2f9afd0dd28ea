#include "agent/deletion.h"

#include <fmt/format.h>

#include "agent/retry_policy.h"
#include "agent/server_answer.h"
#include "core/error.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

HttpCall call_of(const DeletionRequest& request) {
  HttpCall call;
  call.method = "DELETE";
  call.url = parse_url(request.collector_url);
  call.target = call.url.path + "/v1/results/" + request.run_id;
  call.ca_bundles = request.ca_bundles;
  call.proxy = request.proxy;
  call.headers = {{"Accept", "application/json, application/problem+json"},
                  {"User-Agent", request.user_agent},
                  {"Gpuassay-Key", base64(request.key.public_key())},
                  {"Gpuassay-Signature", base64(request.key.sign(deletion_signing_message(request.run_id)))}};
  return call;
}

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

DeletionReply delete_result(const DeletionRequest& request, const UploadWorld& world) {
  const HttpCall call = call_of(request);
  const milliseconds start = world.now();
  for (int attempts = 1;; ++attempts) {
    DeletionReply outcome;
    milliseconds asked_for{0};
    bool may_pass = true;
    try {
      const HttpAnswer answer = world.exchange(call);
      outcome = judge(answer, request.run_id);
      may_pass = is_retryable(answer.status);
      asked_for = retry_after(header_of(answer, "retry-after"), header_of(answer, "date"));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::network) throw;
      outcome.reason = shown(error.what());
    }
    const milliseconds wait = next_delay(attempts, world.random(), asked_for);
    if (!may_pass || world.now() - start + wait >= kNetworkFailureTime) return outcome;
    world.sleep(wait);
  }
}

}  // namespace gpuassay
