#include "tests/support/attestation_maker.h"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace gpuassay::test {
namespace {

void require(bool worked, const char* what) {
  if (!worked) throw std::runtime_error(std::string("OpenSSL made no ") + what);
}

void add_extension(X509& certificate, X509& issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value);
  require(extension != nullptr && X509_add_ext(&certificate, extension, -1) == 1, "extension");
  X509_EXTENSION_free(extension);
}

void set_random_serial(X509& certificate) {
  std::uint64_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "number");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), serial >> 1U | 1U);
}

/// `issuer` null: it signs itself.
CertifiedKey certify(const CertificateWish& wish, const CertifiedKey* issuer) {
  CertifiedKey made{openssl::Certificate(X509_new()), SigningKey(EVP_EC_gen(wish.curve))};
  require(made.key != nullptr, "key");
  X509& certificate = *made.certificate;
  X509& signer = issuer == nullptr ? certificate : *issuer->certificate;
  X509_set_version(&certificate, X509_VERSION_3);
  set_random_serial(certificate);
  require(ASN1_TIME_set(X509_getm_notBefore(&certificate), wish.from_s) != nullptr, "date");
  require(ASN1_TIME_set(X509_getm_notAfter(&certificate), wish.until_s) != nullptr, "date");
  X509_NAME* const subject = X509_get_subject_name(&certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(wish.name.data()),
                             static_cast<int>(wish.name.size()), -1, 0);
  X509_set_issuer_name(&certificate, X509_get_subject_name(&signer));
  X509_set_pubkey(&certificate, made.key.get());
  if (wish.is_authority) {
    add_extension(certificate, signer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    add_extension(certificate, signer, NID_key_usage,
                  wish.is_for_signatures ? "critical,digitalSignature" : "critical,keyAgreement");
  }
  add_extension(certificate, signer, NID_subject_key_identifier, "hash");
  add_extension(certificate, signer, NID_authority_key_identifier, "keyid");
  EVP_PKEY* const key = issuer == nullptr ? made.key.get() : issuer->key.get();
  require(X509_sign(&certificate, key, EVP_sha384()) > 0, "signature");
  return made;
}

void append_number(std::string& text, std::size_t value, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; ++at) text.push_back(static_cast<char>(value >> (8 * at) & 0xffU));
}

void append_half(std::string& text, const BIGNUM* number) {
  constexpr int kHalf = 48;
  std::array<unsigned char, kHalf> bytes{};
  require(BN_bn2binpad(number, bytes.data(), kHalf) == kHalf, "number");
  text.append(bytes.begin(), bytes.end());
}

}  // namespace

CertifiedKey make_root(const CertificateWish& wish) { return certify(wish, nullptr); }
CertifiedKey make_certificate(const CertificateWish& wish, const CertifiedKey& issuer) {
  return certify(wish, &issuer);
}

CertifiedKey read_root(std::string_view certificate_pem, std::string_view key_pem) {
  const openssl::Bio certificate(BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  const openssl::Bio key(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  CertifiedKey root{openssl::Certificate(PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr)),
                    SigningKey(PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr))};
  require(root.certificate != nullptr && root.key != nullptr, "root");
  return root;
}

std::string pem_of(const X509& certificate) {
  const openssl::Bio text(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(text.get(), const_cast<X509*>(&certificate)) == 1, "PEM");
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string unsigned_report(const Digest& nonce, const ReportWish& wish) {
  constexpr std::size_t kValueBytes = 48;
  std::string report("\x11\xe0\x01\xff", 4);
  report.append(nonce.begin(), nonce.end());
  report.push_back('\0');
  report.append("\x11\x60\x00\x00", 4);
  append_number(report, wish.blocks, 1);
  std::string record;
  for (std::size_t block = 1; block <= wish.blocks; ++block) {
    append_number(record, block, 1);
    append_number(record, 1, 1);
    append_number(record, kValueBytes + 3, 2);
    append_number(record, 1, 1);
    append_number(record, kValueBytes, 2);
    record.append(kValueBytes, static_cast<char>(block));
  }
  append_number(report, record.size(), 3);
  report += record;
  report.append(nonce.size(), '\x5a');
  append_number(report, wish.opaque_bytes, 2);
  report.append(wish.opaque_bytes, '\x33');
  return report;
}

std::string signed_report(std::string report, EVP_PKEY& key) {
  const openssl::DigestContext context(EVP_MD_CTX_new());
  const auto* const bytes = reinterpret_cast<const unsigned char*>(report.data());
  require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr, &key) == 1, "signer");
  std::array<unsigned char, 160> der{};
  std::size_t size = der.size();
  require(EVP_DigestSign(context.get(), der.data(), &size, bytes, report.size()) == 1, "signature");
  const unsigned char* at = der.data();
  const openssl::EcdsaSignature pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  require(pair != nullptr, "signature");
  append_half(report, ECDSA_SIG_get0_r(pair.get()));
  append_half(report, ECDSA_SIG_get0_s(pair.get()));
  return report;
}

AttestingDevice::AttestingDevice(const CertifiedKey& root, const std::string& chip)
    : root_pem_(pem_of(*root.certificate)) {
  const auto wish = [](const std::string& name, bool is_authority) {
    CertificateWish wished;
    wished.name = name;
    wished.is_authority = is_authority;
    return wished;
  };
  CertifiedKey family = make_certificate(wish("TEST ONLY " + chip + " Identity", true), root);
  CertifiedKey provisioner = make_certificate(wish("TEST ONLY " + chip + " Provisioner ICA 1", true), family);
  CertifiedKey device = make_certificate(wish(chip + " A01 GSP TEST ONLY", true), provisioner);
  keys_.push_back(make_certificate(wish(chip + " A01 GSP FMC TEST ONLY", false), device));
  for (CertifiedKey* key : {&device, &provisioner, &family}) keys_.push_back(std::move(*key));
}

std::string AttestingDevice::joined(const std::vector<std::size_t>& order) const {
  std::string text;
  for (const std::size_t at : order) text += at < keys_.size() ? pem_of(*keys_[at].certificate) : root_pem_;
  return text;
}

std::string AttestingDevice::report(const Digest& nonce) const { return signed_report(unsigned_report(nonce), key()); }

}  // namespace gpuassay::test
