#include "collector/attestation/certificates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "collector/attestation/openssl_handles.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using openssl::Certificate;

constexpr std::string_view kCurve = "secp384r1";

ChainVerdict no_device(std::string problem) {
  ERR_clear_error();  // the next one to look at this thread's list is not to find our failures
  return {std::nullopt, nullptr, std::move(problem)};
}

/// Whoever sends an encrypted block is not asked for its password: OpenSSL would ask on the terminal, and wait.
int no_password(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*user*/) { return -1; }

/// All certificates of a PEM text, at most one more than are taken; empty when one of them is none.
std::optional<std::vector<Certificate>> read_certificates(std::string_view pem) {
  const openssl::Bio text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<Certificate> certificates;
  certificates.reserve(kMostCertificates + 1);
  while (certificates.size() <= kMostCertificates) {
    Certificate next(PEM_read_bio_X509(text.get(), nullptr, no_password, nullptr));
    if (next == nullptr) break;
    certificates.push_back(std::move(next));
  }
  const bool is_whole =
      certificates.size() > kMostCertificates || ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!is_whole) return std::nullopt;
  return certificates;
}

bool is_on_curve(X509& certificate) {
  EVP_PKEY* const key = X509_get0_pubkey(&certificate);
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return false;
  std::array<char, 32> name{};
  std::size_t length = 0;
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) == 1 &&
         std::string_view(name.data(), length) == kCurve;
}

std::string common_name(X509& certificate) {
  const X509_NAME* const subject = X509_get_subject_name(&certificate);
  const int at = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(subject), NID_commonName, -1);
  if (at < 0) return {};
  const ASN1_STRING* const name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(name)),
          static_cast<std::size_t>(ASN1_STRING_length(name))};
}

/// Letters, digits, '_' and '-' alone: it is shown to people.
std::string first_word(const std::string& text) {
  constexpr std::size_t kMost = 32;
  std::string word = text.substr(0, std::min(text.find(' '), kMost));
  const bool is_plain = std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
  });
  return is_plain ? word : std::string();
}

std::optional<Digest> key_digest(const X509& certificate) {
  Digest digest{};
  unsigned length = 0;
  if (X509_pubkey_digest(&certificate, EVP_sha256(), digest.data(), &length) != 1 || length != digest.size())
    return std::nullopt;
  return digest;
}

/// OpenSSL finds an order of its own: whether the chain it built is the one that was sent, but for the root.
bool is_same_order(const STACK_OF(X509) * built, const std::vector<Certificate>& sent) {
  const auto built_size = static_cast<std::size_t>(sk_X509_num(built));
  if (built_size != sent.size() && built_size != sent.size() + 1) return false;
  for (std::size_t at = 0; at < sent.size(); ++at)
    if (X509_cmp(sk_X509_value(built, static_cast<int>(at)), sent[at].get()) != 0) return false;
  return true;
}

/// Why OpenSSL's path validation refuses the chain; empty: it leads to a root.
std::optional<std::string> path_problem(const AttestationRoots& roots, const std::vector<Certificate>& chain,
                                        std::int64_t now_ms) {
  constexpr int kBitsOf192 = 4;  // OpenSSL's level: P-384 and SHA-384 are its least
  constexpr std::int64_t kMsPerS = 1000;
  const openssl::CertificateList others(sk_X509_new_null());
  for (auto certificate = std::next(chain.begin()); certificate != chain.end(); ++certificate)
    sk_X509_push(others.get(), certificate->get());
  const openssl::StoreContext context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), roots.handle(), chain.front().get(), others.get()) != 1)
    return "OpenSSL could not look at the certificates";
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, static_cast<std::time_t>(now_ms / kMsPerS));
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_auth_level(rules, kBitsOf192);
  if (X509_verify_cert(context.get()) != 1) {
    const int error = X509_STORE_CTX_get_error(context.get());
    return fmt::format("certificate {}: {}", X509_STORE_CTX_get_error_depth(context.get()) + 1,
                       X509_verify_cert_error_string(error));
  }
  if (!is_same_order(X509_STORE_CTX_get0_chain(context.get()), chain))
    return "its certificates are not in the order in which each is signed by the next";
  return std::nullopt;
}

}  // namespace

AttestationRoots AttestationRoots::from_pem(std::string_view pem, std::string_view source) {
  const auto certificates = pem.size() <= kMostCertificateBytes ? read_certificates(pem) : std::nullopt;
  if (!certificates || certificates->empty() || certificates->size() > kMostCertificates)
    throw Error(
        ErrorCode::unreadable_input,
        fmt::format("{} holds no 1 to {} certificates in PEM form; name a file with the root of the maker of the "
                    "devices",
                    source, kMostCertificates));
  AttestationRoots roots;
  roots.handle_ = std::shared_ptr<x509_store_st>(X509_STORE_new(), X509_STORE_free);
  for (const Certificate& certificate : *certificates) {
    if (X509_self_signed(certificate.get(), 1) != 1 || X509_check_ca(certificate.get()) != 1 ||
        !is_on_curve(*certificate))
      throw Error(ErrorCode::unreadable_input,
                  fmt::format("{}: the certificate of '{}' is no root: it must sign itself with a key of P-384, and be "
                              "marked as a certificate authority",
                              source, first_word(common_name(*certificate))));
    X509_STORE_add_cert(roots.handle_.get(), certificate.get());
  }
  return roots;
}

AttestationRoots AttestationRoots::from_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  const std::string pem{std::istreambuf_iterator<char>(file), {}};
  if (!file && errno != 0)
    throw_errno(ErrorCode::unreadable_input, fmt::format("cannot read --attestation-root {}", path), errno);
  return from_pem(pem, fmt::format("--attestation-root {}", path));
}

ChainVerdict verify_chain(const AttestationRoots& roots, std::string_view pem, std::int64_t now_ms) {
  if (roots.empty()) return no_device("this collector trusts no maker of devices");
  if (pem.size() > kMostCertificateBytes)
    return no_device(fmt::format("its certificates have {} bytes; {} are taken", pem.size(), kMostCertificateBytes));
  const auto chain = read_certificates(pem);
  if (!chain) return no_device("one of its certificates cannot be read");
  if (chain->size() < kLeastCertificates || chain->size() > kMostCertificates)
    return no_device(fmt::format("it has {}{} certificates; {} to {} are taken",
                                 chain->size() > kMostCertificates ? "over " : "",
                                 std::min(chain->size(), kMostCertificates), kLeastCertificates, kMostCertificates));
  for (std::size_t at = 0; at < chain->size(); ++at)
    if (!is_on_curve(*(*chain)[at])) return no_device(fmt::format("certificate {}: its key is not of P-384", at + 1));
  if (auto problem = path_problem(roots, *chain, now_ms)) return no_device(*std::move(problem));
  X509& leaf = *chain->front();
  X509& device = *(*chain)[1];
  if ((X509_get_key_usage(&leaf) & KU_DIGITAL_SIGNATURE) == 0)
    return no_device("certificate 1: its key is not for signatures");
  const auto identity = key_digest(device);
  if (!identity) return no_device("certificate 2: its key cannot be read");
  std::shared_ptr<evp_pkey_st> key(X509_get_pubkey(&leaf), EVP_PKEY_free);
  ERR_clear_error();
  return {CertifiedDevice{first_word(common_name(device)), *identity}, std::move(key), {}};
}

}  // namespace gpuassay
