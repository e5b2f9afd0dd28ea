#include "agent/commands/end_key.h"

#include <fmt/format.h>

#include <filesystem>

#include "agent/commands/send.h"
#include "agent/exit_code.h"
#include "agent/key_change.h"
#include "agent/text_page.h"
#include "core/error.h"
#include "core/key_file.h"

namespace gpuassay {
namespace {

std::string path_of(const Environment& environment, const char* name) { return (environment.data_dir / name).string(); }

constexpr const char* kKey = "key";
constexpr const char* kNextKey = "key.next";  // there while a replacement is under way

CollectorAccess access_to(const CollectorTarget& target, const KeyPair& key) {
  return {target.url, key, target.ca_bundles, target.user_agent, target.proxy};
}

std::string command_again(const char* flag, const CollectorTarget& target, const Environment& environment) {
  return fmt::format("{} upload {}{}", environment.invocation, flag, target.flags);
}

std::string failure_text(const KeyChangeReply& reply, const CollectorTarget& target, const std::string& again) {
  if (reply.status == KeyChangeStatus::refused) return "the collector refuses: " + reply.reason;
  if (reply.status == KeyChangeStatus::deferred) return fmt::format("{}; try again with: {}", reply.reason, again);
  return fmt::format("{} has nothing of this key (HTTP 404), so there is nothing to end there", target.url);
}

int tell(int exit_code, const std::string& text) {
  print_out(printable(text) + "\n");
  return exit_code;
}

}  // namespace

KeyPair machine_key(const Environment& environment) {
  if (std::filesystem::exists(environment.data_dir / kNextKey))
    throw Error(ErrorCode::not_saved,
                fmt::format("a replacement of this machine's key was begun and not finished; finish it with: {} upload "
                            "--replace-key --collector URL, or remove {} if it was never sent",
                            environment.invocation, path_of(environment, kNextKey)));
  return load_or_create_key(path_of(environment, kKey));
}

int replace_key(const CollectorTarget& target, const Environment& environment) {
  const KeyPair key = load_or_create_key(path_of(environment, kKey));
  const bool begun_before = std::filesystem::exists(environment.data_dir / kNextKey);
  const KeyPair next = load_or_create_key(path_of(environment, kNextKey));
  const KeyChangeReply reply = change_key(access_to(target, key), next, upload_world(environment));
  const std::string kept = path_of(environment, "key.replaced");
  switch (reply.status) {
    case KeyChangeStatus::done:
      replace_key_file(path_of(environment, kKey), path_of(environment, kNextKey), kept);
      return tell(kExitOk, fmt::format("replaced: {} trusts this machine's new key only; the former one is in {}",
                                       target.url, kept));
    case KeyChangeStatus::refused:
    case KeyChangeStatus::never_there:
      // One from before may be trusted by the collector whose answer was lost: it is not this refusal's to remove.
      if (!begun_before) std::filesystem::remove(environment.data_dir / kNextKey);
      break;
    case KeyChangeStatus::deferred: break;
  }
  return tell(kExitNotSaved,
              "NOT REPLACED: " + failure_text(reply, target, command_again("--replace-key", target, environment)));
}

int revoke_key(const CollectorTarget& target, const Environment& environment) {
  const KeyPair key = machine_key(environment);
  const KeyChangeReply reply = change_key(access_to(target, key), std::nullopt, upload_world(environment));
  if (reply.status != KeyChangeStatus::done)
    return tell(kExitNotSaved,
                "NOT REVOKED: " + failure_text(reply, target, command_again("--revoke-key", target, environment)));
  const std::string kept = path_of(environment, "key.revoked");
  retire_key_file(path_of(environment, kKey), kept);
  return tell(kExitOk, fmt::format("revoked: {} trusts this machine's key no more; it is in {}, and a new one is made "
                                   "when it is needed",
                                   target.url, kept));
}

}  // namespace gpuassay
