// Does the other side know the same secret? Proofs that do not tell it (HMAC-SHA-256 of libsodium).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace gpuassay {

/// Characters of a nonce and of a proof.
inline constexpr std::size_t kProofCharacters = 64;

/// 32 random bytes in lower-case hexadecimal: never the same twice.
std::string new_nonce();

/// HMAC-SHA-256 under `secret` of the parts, each with its length, in lower-case hexadecimal.
std::string proof_of(std::string_view secret, std::initializer_list<std::string_view> parts);

/// Takes the same time wherever they differ.
bool is_same_proof(std::string_view one, std::string_view other);

}  // namespace gpuassay
