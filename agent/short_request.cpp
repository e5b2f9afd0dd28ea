#include "agent/short_request.h"

#include "agent/retry_policy.h"
#include "agent/server_answer.h"
#include "core/error.h"

namespace gpuassay {

using std::chrono::milliseconds;

HttpCall signed_call(const CollectorAccess& access, const std::string& method, const std::string& path,
                     const std::string& message) {
  HttpCall call;
  call.method = method;
  call.url = parse_url(access.collector_url);
  call.target = call.url.path + path;
  call.ca_bundles = access.ca_bundles;
  call.proxy = access.proxy;
  call.headers = {{"Accept", "application/json, application/problem+json"},
                  {"User-Agent", access.user_agent},
                  {"Gpuassay-Key", base64(access.key.public_key())},
                  {"Gpuassay-Signature", base64(access.key.sign(message))}};
  return call;
}

ShortAnswer ask_shortly(const HttpCall& call, const UploadWorld& world) {
  const milliseconds start = world.now();
  for (int attempts = 1;; ++attempts) {
    ShortAnswer outcome;
    milliseconds asked_for{0};
    bool may_pass = true;
    try {
      outcome.answer = world.exchange(call);
      may_pass = is_retryable(outcome.answer->status);
      asked_for = retry_after(header_of(*outcome.answer, "retry-after"), header_of(*outcome.answer, "date"));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::network) throw;
      outcome.problem = shown(error.what());
    }
    const milliseconds wait = next_delay(attempts, world.random(), asked_for);
    if (!may_pass || world.now() - start + wait >= kNetworkFailureTime) return outcome;
    world.sleep(wait);
  }
}

}  // namespace gpuassay
