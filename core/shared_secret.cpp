#include "core/shared_secret.h"

#include <sodium.h>

#include <array>
#include <cstdint>

#include "core/error.h"
#include "core/signature.h"

namespace gpuassay {
namespace {

void require_library() {
  if (sodium_init() < 0) throw Error(ErrorCode::internal, "libsodium does not start");
}

const unsigned char* as_bytes(const void* text) { return static_cast<const unsigned char*>(text); }

std::string as_hex(const unsigned char* bytes, std::size_t size) {
  return hex({reinterpret_cast<const char*>(bytes), size});
}

}  // namespace

std::string new_nonce() {
  require_library();
  std::array<unsigned char, kProofCharacters / 2> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return as_hex(bytes.data(), bytes.size());
}

std::string proof_of(std::string_view secret, std::initializer_list<std::string_view> parts) {
  require_library();
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, as_bytes(secret.data()), secret.size());
  for (const std::string_view part : parts) {
    const auto size = static_cast<std::uint64_t>(part.size());
    crypto_auth_hmacsha256_update(&state, as_bytes(&size), sizeof size);  // x86-64 alone: one order of bytes
    crypto_auth_hmacsha256_update(&state, as_bytes(part.data()), part.size());
  }
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> tag{};
  static_assert(tag.size() * 2 == kProofCharacters);
  crypto_auth_hmacsha256_final(&state, tag.data());
  sodium_memzero(&state, sizeof state);
  return as_hex(tag.data(), tag.size());
}

bool is_same_proof(std::string_view one, std::string_view other) {
  return one.size() == kProofCharacters && other.size() == kProofCharacters &&
         sodium_memcmp(one.data(), other.data(), kProofCharacters) == 0;
}

}  // namespace gpuassay
