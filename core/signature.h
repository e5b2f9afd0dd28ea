// Who made these bytes? SHA-256, Ed25519 signatures and the text forms they travel in (libsodium).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

using PublicKey = std::array<unsigned char, 32>;
using Signature = std::array<unsigned char, 64>;

/// Lower-case hexadecimal SHA-256 of `bytes`, 64 characters.
std::string sha256_hex(std::string_view bytes);
/// The same of a file, which is read in pieces. Throws Error{unreadable_input}.
std::string sha256_hex_of_file(const std::string& path);

std::string hex(std::string_view bytes);
/// From the system's source of secrets.
std::string random_bytes(std::size_t count);
/// Standard base64 (RFC 4648 section 4) with padding.
std::string base64(std::string_view bytes);
/// Strict: empty optional for any other character, missing padding or unused bits that are not zero.
std::optional<std::string> from_base64(std::string_view text);

std::string base64(const PublicKey& key);
std::string base64(const Signature& signature);
std::optional<PublicKey> public_key_from_base64(std::string_view text);
std::optional<Signature> signature_from_base64(std::string_view text);

/// An Ed25519 key pair. The secret half is wiped from memory by the destructor.
class KeyPair {
 public:
  static KeyPair generate();
  /// Reads what file_content() made; throws Error{unreadable_input} when it is anything else.
  static KeyPair from_file_content(std::string_view content);
  KeyPair(const KeyPair&) = default;
  KeyPair& operator=(const KeyPair&) = default;
  ~KeyPair();

  /// Text that restores the pair; secret.
  [[nodiscard]] std::string file_content() const;
  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] Signature sign(std::string_view message) const;
  /// HMAC-SHA-256 of an identifier under the secret half, 64 lower-case hexadecimal characters: the same machine gives
  /// the same value, and nobody without the key can tell what it stands for. `kind` ("gpu_uuid") keeps kinds apart.
  [[nodiscard]] std::string identifier_hash(std::string_view kind, std::string_view identifier) const;

 private:
  KeyPair() = default;
  PublicKey public_key_{};
  std::array<unsigned char, 64> secret_key_{};
};

/// True only when the holder of `key` signed exactly `message`.
bool verify_signature(const PublicKey& key, std::string_view message, const Signature& signature);

/// What an agent signs to upload `body`: a prefix that no other kind of message has, then the body's SHA-256.
std::string result_signing_message(std::string_view body);
/// The same for a body whose sha256_hex() is known: hashing is what it costs.
std::string result_signing_message_of_hash(std::string_view body_sha256);

/// What an agent signs to have the run `run_id` deleted; no message of another kind has its prefix.
std::string deletion_signing_message(std::string_view run_id);

/// What both keys of a machine sign so that the new one takes the place of the old one.
std::string key_replacement_signing_message(const PublicKey& old_key, const PublicKey& new_key);

/// What a key signs to be trusted no more.
std::string key_revocation_signing_message(const PublicKey& key);

}  // namespace gpuassay
