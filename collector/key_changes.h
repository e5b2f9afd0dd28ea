// May this key be trusted no more, and another one of its machine instead? Asked by whoever holds the key; no HTTP in
// here.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "collector/store.h"
#include "core/signature.h"

namespace gpuassay {

/// A key and its signature of the message that the request is about, in base64 as they came.
struct KeyProof {
  std::optional<std::string> key_base64, signature_base64;
};

struct KeyChangeOutcome {
  enum class Status {
    done,  ///< now, or the very same before
    unsigned_request,
    bad_signature,
    unknown,   ///< the key never signed a run that is here
    conflict,  ///< it ended otherwise before, or the new key is another machine's
  };
  Status status = Status::unknown;
  std::string statement;  ///< done: signed by the collector; the same whenever it is asked again
  std::string detail;     ///< why not
};

/// Revokes and replaces keys for their holders. What they signed before stays. Safe to use from any thread.
class KeyChanges {
 public:
  /// `now_ms` is the wall clock in milliseconds since 1970, asked by any thread. `store` must outlive this.
  KeyChanges(RunStore& store, const KeyPair& collector_key, std::function<std::int64_t()> now_ms);

  /// `old_key` signs nothing from now on, `new_key` may do what it could; both signed
  /// key_replacement_signing_message(). Throws Error{database}.
  KeyChangeOutcome replace(const KeyProof& old_key, const KeyProof& new_key);
  /// `key` signed key_revocation_signing_message(). Throws Error{database}.
  KeyChangeOutcome revoke(const KeyProof& key);

 private:
  [[nodiscard]] KeyChangeOutcome confirmed(const PublicKey& key) const;

  RunStore& store_;
  KeyPair collector_key_;
  std::function<std::int64_t()> now_ms_;
};

}  // namespace gpuassay
