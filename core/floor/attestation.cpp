#include "core/floor/attestation.h"

#include <fmt/format.h>

#include "core/error.h"

namespace gpuassay {

Digest attestation_nonce(std::string_view challenge_id, const FloorSeed& seed, const PublicKey& key,
                         std::string_view commitment_text, int device) {
  const std::string text = fmt::format("gpuassay-attestation-v1\n{}\n{}\n{}\n{}\n{}\n", challenge_id, hex(Digest(seed)),
                                       hex(Digest(key)), sha256_hex(commitment_text), device);
  const auto nonce = digest_from_hex(sha256_hex(text));
  if (!nonce) throw Error(ErrorCode::internal, "SHA-256 gave no digest");
  return *nonce;
}

}  // namespace gpuassay
