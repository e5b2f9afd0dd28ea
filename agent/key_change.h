// Does the collector trust this machine's key no more? The only proof is a statement about this key whose signature
// verifies.
#pragma once

#include <optional>
#include <string>

#include "agent/short_request.h"

namespace gpuassay {

enum class KeyChangeStatus {
  done,         ///< the collector's statement is genuine
  never_there,  ///< 404: this collector has nothing of this key
  refused,      ///< another 4xx
  deferred,     ///< not now: ask again
};

struct KeyChangeReply {
  KeyChangeStatus status = KeyChangeStatus::deferred;
  std::string reason;  ///< refused, deferred: one line, printable ASCII
};

/// POST /v1/keys/replace: `new_key` takes the place of access.key; without one POST /v1/keys/revoke
/// (docs/UPLOADING.md). Never throws for what the network does; Error{usage} for a bad collector_url.
KeyChangeReply change_key(const CollectorAccess& access, const std::optional<KeyPair>& new_key,
                          const UploadWorld& world);

}  // namespace gpuassay
