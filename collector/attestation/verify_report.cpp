#include "collector/attestation/verify_report.h"

#include <array>
#include <utility>

#include "collector/attestation/openssl_handles.h"
#include "collector/attestation/report.h"

namespace gpuassay {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// OpenSSL takes r and s as two integers in DER. Empty when it has no memory for them.
std::string der_signature(std::string_view signature) {
  constexpr std::size_t kHalf = kReportSignatureBytes / 2;
  const openssl::EcdsaSignature pair(ECDSA_SIG_new());
  if (!pair) return {};
  BIGNUM* const r = BN_bin2bn(bytes_of(signature), kHalf, nullptr);
  BIGNUM* const s = BN_bin2bn(bytes_of(signature.substr(kHalf)), kHalf, nullptr);
  if (ECDSA_SIG_set0(pair.get(), r, s) != 1) {  // else the pair owns them
    BN_free(r);
    BN_free(s);
    return {};
  }
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) return {};
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

bool is_signed_by(EVP_PKEY* key, const AttestationReport& report) {
  const std::string der = der_signature(report.signature);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  const bool is_right = !der.empty() && context &&
                        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha384(), nullptr, key) == 1 &&
                        EVP_DigestVerify(context.get(), bytes_of(der), der.size(), bytes_of(report.signed_bytes),
                                         report.signed_bytes.size()) == 1;
  ERR_clear_error();
  return is_right;
}

}  // namespace

AttestationVerdict verify_attestation(const AttestationRoots& roots, std::string_view report,
                                      std::string_view certificates, const Digest& nonce, std::int64_t now_ms) {
  const ParsedReport parsed = parse_attestation_report(report);
  if (!parsed.report) return {std::nullopt, parsed.problem};
  if (parsed.report->nonce != nonce) return {std::nullopt, "the report answers another question than this challenge's"};
  ChainVerdict chain = verify_chain(roots, certificates, now_ms);
  if (!chain.device) return {std::nullopt, std::move(chain.problem)};
  if (!is_signed_by(chain.key.get(), *parsed.report))
    return {std::nullopt, "the report is not signed by the key of its first certificate"};
  return {std::move(chain.device), {}};
}

std::string_view capability_of_chip(std::string_view chip) {
  // As in the certificates of the samples in NVIDIA's public repositories nvtrust and attestation-sdk. NVSwitches have
  // reports of the same form that lead to the same root ("LS_10").
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kChips{{{"GH100", "9.0"}, {"GB100", "10.0"}}};
  for (const auto& [name, capability] : kChips)
    if (name == chip) return capability;
  return {};
}

}  // namespace gpuassay
