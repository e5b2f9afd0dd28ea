// A maker of devices that certifies them, and devices that answer: what NVIDIA's do, with keys of our own. For tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collector/attestation/openssl_handles.h"
#include "core/merkle.h"

namespace gpuassay::test {

using SigningKey = std::unique_ptr<EVP_PKEY, openssl::Free<EVP_PKEY_free>>;

struct CertificateWish {
  std::string name;  ///< common name of the subject
  bool is_authority = true;
  const char* curve = "P-384";
  std::int64_t from_s = 1'600'000'000, until_s = 4'000'000'000;  ///< since 1970
  bool is_for_signatures = true;                                 ///< of a key that is no authority's
};

struct CertifiedKey {
  openssl::Certificate certificate;
  SigningKey key;
};

CertifiedKey make_root(const CertificateWish& wish);
CertifiedKey make_certificate(const CertificateWish& wish, const CertifiedKey& issuer);
/// A root that was kept: its certificate and its key.
CertifiedKey read_root(std::string_view certificate_pem, std::string_view key_pem);
std::string pem_of(const X509& certificate);

/// SPDM's request with the nonce, and the answer to it.
struct ReportWish {
  std::size_t blocks = 64;
  std::size_t opaque_bytes = 422;
};
std::string unsigned_report(const Digest& nonce, const ReportWish& wish = {});
/// The same with the signature of what it is.
std::string signed_report(std::string report, EVP_PKEY& key);

/// A GPU with five certificates as NVIDIA's have: of the key that signs, of the device, of two who provision it, and
/// the root.
class AttestingDevice {
 public:
  AttestingDevice(const CertifiedKey& root, const std::string& chip);

  /// In PEM, in this order.
  [[nodiscard]] std::string certificates() const { return joined({0, 1, 2, 3, 4}); }
  [[nodiscard]] std::string joined(const std::vector<std::size_t>& order) const;
  [[nodiscard]] std::string report(const Digest& nonce) const;
  [[nodiscard]] EVP_PKEY& key() const { return *keys_.front().key; }
  /// All but the root, of which only the certificate is there.
  std::vector<CertifiedKey>& keys() { return keys_; }

 private:
  std::vector<CertifiedKey> keys_;
  std::string root_pem_;
};

}  // namespace gpuassay::test
