// What does a collector give back for an upload, a deletion or the end of a key, what does it sign of its public log,
// and how does a reader know that it is genuine?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/merkle.h"
#include "core/signature.h"

namespace gpuassay {

/// A collector's signed statement that it holds one body under one run_id.
struct Receipt {
  std::string run_id;
  std::string body_sha256;  ///< lower-case hexadecimal
  std::string received_at;  ///< RFC 3339, UTC
  PublicKey collector_key{};
};

/// The receipt as canonical JSON (sorted keys, no spaces) with the collector's signature over the same object
/// without the member `signature`. The member `kind` keeps it apart from anything else the key signs.
std::string signed_receipt(std::string run_id, std::string_view body, std::string received_at,
                           const KeyPair& collector);
/// The same for a body whose sha256_hex() is known.
std::string signed_receipt_of_hash(std::string run_id, std::string body_sha256, std::string received_at,
                                   const KeyPair& collector);

/// The receipt in `json` when it parses, carries a signature that verifies, and names `run_id` and the SHA-256 of
/// `body`; otherwise empty, with the reason in `problem`.
std::optional<Receipt> verified_receipt(std::string_view json, std::string_view run_id, std::string_view body,
                                        std::string& problem);

/// As verified_receipt(), for whatever run and body it names.
std::optional<Receipt> genuine_receipt(std::string_view json, std::string& problem);

/// A collector's signed statement that it has deleted a run and takes it no more.
struct Tombstone {
  std::string run_id;
  std::string deleted_at;  ///< RFC 3339, UTC
  PublicKey collector_key{};
};

/// The tombstone in the same form as a receipt, with a `kind` of its own. It names nothing of the deleted body.
std::string signed_tombstone(std::string run_id, std::string deleted_at, const KeyPair& collector);

/// As verified_receipt(), for the deletion of `run_id`.
std::optional<Tombstone> verified_tombstone(std::string_view json, std::string_view run_id, std::string& problem);

/// A collector's signed statement that it trusts a key no more.
struct KeyRevocation {
  PublicKey key{};
  std::optional<PublicKey> replaced_by;  ///< the key of the same machine that it trusts instead
  std::string revoked_at;                ///< RFC 3339, UTC
  PublicKey collector_key{};
};

/// The statement in the same form as a receipt, with a `kind` of its own. `replaced_by` is null without such a key.
std::string signed_key_revocation(const PublicKey& key, const std::optional<PublicKey>& replaced_by,
                                  std::string revoked_at, const KeyPair& collector);

/// As verified_receipt(), for the end of `key` in favour of `replaced_by`, or of none.
std::optional<KeyRevocation> verified_key_revocation(std::string_view json, const PublicKey& key,
                                                     const std::optional<PublicKey>& replaced_by, std::string& problem);

/// A collector's signed statement what its public log is (docs/LOG.md): so many leaves with this root.
struct Checkpoint {
  std::uint64_t tree_size = 0;
  Digest root_hash{};
  std::string made_at;  ///< RFC 3339, UTC
  PublicKey collector_key{};
};

/// The checkpoint in the same form as a receipt, with a `kind` of its own. `collector_key` is that of `collector`.
std::string signed_checkpoint(const Checkpoint& checkpoint, const KeyPair& collector);

/// The checkpoint in `json` when its signature verifies; otherwise empty, with the reason in `problem`.
std::optional<Checkpoint> verified_checkpoint(std::string_view json, std::string& problem);

}  // namespace gpuassay
