#include "collector/vouch.h"

#include "core/error.h"

namespace gpuassay {

std::string vouch(RunStore& store, const VouchOptions& options, std::int64_t now_ms) {
  if (!store.vouch_for_key(options.key, !options.withdraw, now_ms))
    throw Error(ErrorCode::usage,
                "this key signed no run that is stored; it is the base64 text of 44 characters that the agent sends as "
                "Gpuassay-Key");
  return options.withdraw ? "its runs count in headlines no more, unless their speed was verified\n"
                          : "its runs count in headlines from now on\n";
}

}  // namespace gpuassay
