#include "agent/key_change.h"

#include <fmt/format.h>

#include "agent/retry_policy.h"
#include "agent/server_answer.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

HttpCall call_for(const CollectorAccess& access, const std::optional<KeyPair>& new_key) {
  const PublicKey& key = access.key.public_key();
  if (!new_key) return signed_call(access, "POST", "/v1/keys/revoke", key_revocation_signing_message(key));
  const std::string message = key_replacement_signing_message(key, new_key->public_key());
  HttpCall call = signed_call(access, "POST", "/v1/keys/replace", message);
  call.headers.emplace_back("Gpuassay-New-Key", base64(new_key->public_key()));
  call.headers.emplace_back("Gpuassay-New-Signature", base64(new_key->sign(message)));
  return call;
}

}  // namespace

KeyChangeReply change_key(const CollectorAccess& access, const std::optional<KeyPair>& new_key,
                          const UploadWorld& world) {
  const ShortAnswer reply = ask_shortly(call_for(access, new_key), world);
  if (!reply.answer) return {KeyChangeStatus::deferred, reply.problem};
  const HttpAnswer& answer = *reply.answer;
  if (answer.status == 200) {
    std::string problem;
    const std::optional<PublicKey> replaced_by = new_key ? std::optional(new_key->public_key()) : std::nullopt;
    if (verified_key_revocation(answer.body, access.key.public_key(), replaced_by, problem))
      return {KeyChangeStatus::done, ""};
    return {KeyChangeStatus::deferred, fmt::format("HTTP 200, but {}: this may not be a collector", problem)};
  }
  constexpr int kNotFound = 404;
  if (answer.status == kNotFound) return {KeyChangeStatus::never_there, ""};
  return {is_final_refusal(answer.status) ? KeyChangeStatus::refused : KeyChangeStatus::deferred, refusal_text(answer)};
}

}  // namespace gpuassay
