#include "collector/key_changes.h"

#include "core/receipt.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

using Status = KeyChangeOutcome::Status;

struct ReadProof {
  PublicKey key;
  Signature signature;
};

std::optional<ReadProof> read_proof(const KeyProof& proof) {
  const auto key = public_key_from_base64(proof.key_base64.value_or(""));
  const auto signature = signature_from_base64(proof.signature_base64.value_or(""));
  if (!key || !signature) return std::nullopt;
  return ReadProof{*key, *signature};
}

bool signed_by(const ReadProof& proof, const std::string& message) {
  return verify_signature(proof.key, message, proof.signature);
}

KeyChangeOutcome refused(Status status, std::string detail) { return {status, {}, std::move(detail)}; }

KeyChangeOutcome unknown_key() { return refused(Status::unknown, "this key signed no run that is here"); }

}  // namespace

KeyChanges::KeyChanges(RunStore& store, const KeyPair& collector_key, std::function<std::int64_t()> now_ms)
    : store_(store), collector_key_(collector_key), now_ms_(std::move(now_ms)) {}

KeyChangeOutcome KeyChanges::replace(const KeyProof& old_key, const KeyProof& new_key) {
  const auto old_proof = read_proof(old_key);
  const auto new_proof = read_proof(new_key);
  if (!old_proof || !new_proof)
    return refused(
        Status::unsigned_request,
        "the headers Gpuassay-Key, Gpuassay-Signature, Gpuassay-New-Key and Gpuassay-New-Signature must hold "
        "Ed25519 keys and signatures in base64");
  const std::string message = key_replacement_signing_message(old_proof->key, new_proof->key);
  if (!signed_by(*old_proof, message) || !signed_by(*new_proof, message))
    return refused(Status::bad_signature, "the signatures are not of this replacement by these keys");
  switch (store_.replace_key(base64(old_proof->key), base64(new_proof->key), now_ms_())) {
    case KeyChange::done: return confirmed(old_proof->key);
    case KeyChange::unknown: return unknown_key();
    case KeyChange::revoked: return refused(Status::conflict, "this key was revoked or replaced before");
    case KeyChange::taken: break;
  }
  return refused(Status::conflict, "the new key is known already; make one that was never used");
}

KeyChangeOutcome KeyChanges::revoke(const KeyProof& key) {
  const auto proof = read_proof(key);
  if (!proof)
    return refused(Status::unsigned_request,
                   "the headers Gpuassay-Key and Gpuassay-Signature must hold an Ed25519 key and signature in base64");
  if (!signed_by(*proof, key_revocation_signing_message(proof->key)))
    return refused(Status::bad_signature, "the signature is not of this revocation by this key");
  if (!store_.revoke_key(base64(proof->key), now_ms_())) return unknown_key();
  return confirmed(proof->key);
}

/// What the store says of it, so that it is the same whenever it is asked.
KeyChangeOutcome KeyChanges::confirmed(const PublicKey& key) const {
  const auto known = store_.key(base64(key));
  if (!known || !known->revoked_at_ms) return unknown_key();
  const auto replaced_by = public_key_from_base64(known->replaced_by.value_or(""));
  return {Status::done,
          signed_key_revocation(key, replaced_by, format_rfc3339_ms(*known->revoked_at_ms), collector_key_),
          {}};
}

}  // namespace gpuassay
