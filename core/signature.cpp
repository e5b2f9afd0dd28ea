#include "core/signature.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <fstream>

#include "core/error.h"

namespace gpuassay {
namespace {

constexpr std::string_view kKeyFilePrefix = "gpuassay-ed25519-v1 ";

/// Initialisation is cheap, thread-safe and may be repeated; without it random numbers are not safe.
void ready() {
  if (sodium_init() < 0)
    throw Error(ErrorCode::internal, "the system gives no random numbers; check that /dev/urandom exists");
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

template <std::size_t kSize>
std::string_view view_of(const std::array<unsigned char, kSize>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::size_t kSize>
std::optional<std::array<unsigned char, kSize>> array_from_base64(std::string_view text) {
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() != kSize) return std::nullopt;
  std::array<unsigned char, kSize> array{};
  std::copy(bytes->begin(), bytes->end(), array.begin());
  return array;
}

}  // namespace

std::string hex(std::string_view bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes_of(bytes), bytes.size());
  text.pop_back();
  return text;
}

std::string random_bytes(std::size_t count) {
  ready();
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), bytes_of(bytes), bytes.size());
  return hex(view_of(digest));
}

std::string sha256_hex_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::array<char, 65'536> piece{};
  while (file.read(piece.data(), piece.size()) || file.gcount() > 0) {
    const auto length = static_cast<std::size_t>(file.gcount());
    crypto_hash_sha256_update(&state, bytes_of({piece.data(), length}), length);
  }
  if (!file.eof()) throw Error(ErrorCode::unreadable_input, fmt::format("cannot read {}; check its permissions", path));
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256_final(&state, digest.data());
  return hex(view_of(digest));
}

std::string base64(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes_of(bytes), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t length = 0;
  const int status = sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                                       text.size(), nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL);
  if (status != 0) return std::nullopt;
  bytes.resize(length);
  return bytes;
}

std::string base64(const PublicKey& key) { return base64(view_of(key)); }
std::string base64(const Signature& signature) { return base64(view_of(signature)); }
std::optional<PublicKey> public_key_from_base64(std::string_view text) { return array_from_base64<32>(text); }
std::optional<Signature> signature_from_base64(std::string_view text) { return array_from_base64<64>(text); }

KeyPair KeyPair::generate() {
  ready();
  KeyPair pair;
  crypto_sign_keypair(pair.public_key_.data(), pair.secret_key_.data());
  return pair;
}

KeyPair KeyPair::from_file_content(std::string_view content) {
  ready();
  if (!content.empty() && content.back() == '\n') content.remove_suffix(1);
  std::optional<std::array<unsigned char, crypto_sign_SEEDBYTES>> seed;
  if (content.substr(0, kKeyFilePrefix.size()) == kKeyFilePrefix)
    seed = array_from_base64<crypto_sign_SEEDBYTES>(content.substr(kKeyFilePrefix.size()));
  if (!seed)
    throw Error(ErrorCode::unreadable_input,
                "the key file is damaged; restore it, or remove it to start with a new identity");
  KeyPair pair;
  crypto_sign_seed_keypair(pair.public_key_.data(), pair.secret_key_.data(), seed->data());
  sodium_memzero(seed->data(), seed->size());
  return pair;
}

KeyPair::~KeyPair() { sodium_memzero(secret_key_.data(), secret_key_.size()); }

std::string KeyPair::file_content() const {
  std::array<unsigned char, crypto_sign_SEEDBYTES> seed{};
  crypto_sign_ed25519_sk_to_seed(seed.data(), secret_key_.data());
  std::string content = fmt::format("{}{}\n", kKeyFilePrefix, base64(view_of(seed)));
  sodium_memzero(seed.data(), seed.size());
  return content;
}

Signature KeyPair::sign(std::string_view message) const {
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, bytes_of(message), message.size(), secret_key_.data());
  return signature;
}

std::string KeyPair::identifier_hash(std::string_view kind, std::string_view identifier) const {
  crypto_auth_hmacsha256_state state;
  // The secret key's first half is its seed.
  crypto_auth_hmacsha256_init(&state, secret_key_.data(), crypto_sign_SEEDBYTES);
  for (const std::string_view part :
       {std::string_view("gpuassay identifier v1\n"), kind, std::string_view("\n"), identifier}) {
    crypto_auth_hmacsha256_update(&state, bytes_of(part), part.size());
  }
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> tag{};
  crypto_auth_hmacsha256_final(&state, tag.data());
  sodium_memzero(&state, sizeof state);
  return hex(view_of(tag));
}

bool verify_signature(const PublicKey& key, std::string_view message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), bytes_of(message), message.size(), key.data()) == 0;
}

std::string result_signing_message(std::string_view body) { return result_signing_message_of_hash(sha256_hex(body)); }

std::string result_signing_message_of_hash(std::string_view body_sha256) {
  return "gpuassay-result-v1\n" + std::string(body_sha256);
}

std::string deletion_signing_message(std::string_view run_id) { return "gpuassay-delete-v1\n" + std::string(run_id); }

std::string key_replacement_signing_message(const PublicKey& old_key, const PublicKey& new_key) {
  return "gpuassay-replace-key-v1\n" + base64(old_key) + "\n" + base64(new_key);
}

std::string key_revocation_signing_message(const PublicKey& key) { return "gpuassay-revoke-key-v1\n" + base64(key); }

}  // namespace gpuassay
