// gpuassay upload --replace-key, --revoke-key: ends the trust in this machine's key.
#pragma once

#include "agent/commands/collector_target.h"
#include "agent/environment.h"
#include "core/signature.h"

namespace gpuassay {

/// The key that signs what this machine sends, made on first use. Throws as load_or_create_key(), and Error{not_saved}
/// while a replacement was begun and not finished: the collector may trust either key.
KeyPair machine_key(const Environment& environment);

/// Makes a new key and has the collector trust it instead of the present one, which stays as `key.replaced`. Asked
/// again after a failure it goes on with the same new key. Returns the exit code, having told what happened.
int replace_key(const CollectorTarget& target, const Environment& environment);

/// Has the collector trust the present key no more; it stays as `key.revoked`. Returns the exit code, having told what
/// happened.
int revoke_key(const CollectorTarget& target, const Environment& environment);

}  // namespace gpuassay
