// Does this chain of certificates lead from a device's key to a root that the operator trusts? X.509 by OpenSSL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/merkle.h"

struct evp_pkey_st;    // OpenSSL's EVP_PKEY
struct x509_store_st;  // and X509_STORE

namespace gpuassay {

/// NVML's own buffer has 5 KiB, and NVIDIA's chains have five certificates.
inline constexpr std::size_t kMostCertificateBytes = 16'384;
inline constexpr std::size_t kMostCertificates = 8;
/// The key that signed, the device's own key that vouches for it, and a root.
inline constexpr std::size_t kLeastCertificates = 3;

/// The roots an operator trusts to certify devices. Cheap to copy; safe to use from any thread.
class AttestationRoots {
 public:
  /// None: nothing is ever attested.
  AttestationRoots() = default;
  /// PEM of one to kMostCertificates self-signed P-384 certificates. Throws Error{unreadable_input}; `source` is named.
  static AttestationRoots from_pem(std::string_view pem, std::string_view source);
  /// The same from a file.
  static AttestationRoots from_file(const std::string& path);

  [[nodiscard]] bool empty() const { return handle_ == nullptr; }
  /// Null when empty.
  [[nodiscard]] x509_store_st* handle() const { return handle_.get(); }

 private:
  std::shared_ptr<x509_store_st> handle_;
};

/// What a chain says of a device.
struct CertifiedDevice {
  /// "GH100": how the maker calls the chip, the first word of the name in the certificate of the device's own key.
  std::string chip;
  Digest identity{};  ///< SHA-256 of the device's own key: the same GPU, the same value
};

struct ChainVerdict {
  std::optional<CertifiedDevice> device;
  std::shared_ptr<evp_pkey_st> key;  ///< that signs reports
  std::string problem;               ///< without a device: why, one line
};

/// `pem` has the certificate of the signing key first and each followed by the one that signed it; the root may be
/// there or not. Every key is of P-384, every signature of SHA-384, every issuer a certificate authority, and `now_ms`
/// (since 1970) within every validity.
ChainVerdict verify_chain(const AttestationRoots& roots, std::string_view pem, std::int64_t now_ms);

}  // namespace gpuassay
