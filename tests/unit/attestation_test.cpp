// A device's report and its certificates together, and the question that it answers.
#include <gtest/gtest.h>

#include <algorithm>

#include "collector/attestation/report.h"
#include "collector/attestation/verify_report.h"
#include "core/floor/attestation.h"
#include "core/signature.h"
#include "tests/support/attestation_maker.h"

namespace gpuassay {
namespace {

constexpr std::int64_t kAttestationNowMs = 1'800'000'000'000;

class Attestation : public testing::Test {
 protected:
  static test::CertifiedKey test_root() {
    test::CertificateWish wished;
    wished.name = "TEST ONLY root";
    return test::make_root(wished);
  }
  std::string problem(const std::string& report) const { return problem(report, device_.certificates()); }
  std::string problem(const std::string& report, const std::string& certificates) const {
    const AttestationVerdict verdict = verify_attestation(roots_, report, certificates, nonce_, kAttestationNowMs);
    EXPECT_EQ(verdict.device.has_value(), verdict.problem.empty());
    EXPECT_EQ(ERR_peek_error(), 0UL);
    return verdict.problem;
  }

  test::CertifiedKey root_ = test_root();
  AttestationRoots roots_ = AttestationRoots::from_pem(test::pem_of(*root_.certificate), "the test's root");
  test::AttestingDevice device_{root_, "GH100"};
  Digest nonce_{9, 8, 7};
};

TEST_F(Attestation, AReportOfACertifiedDeviceIsVerified) {
  const AttestationVerdict verdict =
      verify_attestation(roots_, device_.report(nonce_), device_.certificates(), nonce_, kAttestationNowMs);
  ASSERT_TRUE(verdict.device) << verdict.problem;
  EXPECT_EQ(verdict.device->chip, "GH100");
}

TEST_F(Attestation, AnyOtherByteIsRefused) {
  const std::string report = device_.report(nonce_);
  const std::size_t signature_at = report.size() - kReportSignatureBytes;
  std::vector<std::size_t> places;
  places.reserve(report.size());
  for (std::size_t at = 0; at < 50; ++at) places.push_back(at);  // both heads, the nonce, the first block
  for (std::size_t at = 50; at < signature_at; at += 101) places.push_back(at);
  for (std::size_t at = signature_at - 460; at < signature_at - 380; ++at) places.push_back(at);  // nonce, opaque data
  for (std::size_t at = signature_at; at < report.size(); ++at) places.push_back(at);
  for (const std::size_t at : places) {
    std::string other = report;
    other[at] = static_cast<char>(other[at] ^ 0x01);
    EXPECT_NE(problem(other), "") << at;
  }
}

TEST_F(Attestation, ReasonsAreTold) {
  EXPECT_EQ(problem(device_.report(Digest{1})), "the report answers another question than this challenge's");
  const test::AttestingDevice other(root_, "GH100");
  EXPECT_EQ(problem(other.report(nonce_)), "the report is not signed by the key of its first certificate");
  EXPECT_EQ(problem(other.report(nonce_), other.certificates()), "");
  std::string zeros = device_.report(nonce_);
  zeros.replace(zeros.size() - kReportSignatureBytes, kReportSignatureBytes, kReportSignatureBytes, '\0');
  EXPECT_EQ(problem(zeros), "the report is not signed by the key of its first certificate");
  std::string swapped = device_.report(nonce_);
  std::rotate(swapped.end() - 96, swapped.end() - 48, swapped.end());
  EXPECT_EQ(problem(swapped), "the report is not signed by the key of its first certificate");
  EXPECT_EQ(problem(device_.report(nonce_), ""), "it has 0 certificates; 3 to 8 are taken");
}

TEST_F(Attestation, OnlyChipsOfGpusAreKnown) {
  EXPECT_EQ(capability_of_chip("GH100"), "9.0");
  EXPECT_EQ(capability_of_chip("GB100"), "10.0");
  for (const char* other : {"", "LS_10", "gh100", "GH1000"}) EXPECT_EQ(capability_of_chip(other), "") << other;
}

TEST(AttestationNonce, IsOfChallengeKeyCommitmentAndDevice) {
  const FloorSeed seed{1};
  const PublicKey key{2};
  const Digest nonce = attestation_nonce("a", seed, key, "{}", 0);
  // printf '%s\n' gpuassay-attestation-v1 a 01000... 02000... $(printf '{}' | sha256sum) 0 | sha256sum
  EXPECT_EQ(hex(nonce), "4654b54688c50ae41c657aca51b57800a9a8e29c32dc1d4d05da895528090e3e");
  EXPECT_NE(attestation_nonce("b", seed, key, "{}", 0), nonce);
  EXPECT_NE(attestation_nonce("a", FloorSeed{2}, key, "{}", 0), nonce);
  EXPECT_NE(attestation_nonce("a", seed, PublicKey{3}, "{}", 0), nonce);
  EXPECT_NE(attestation_nonce("a", seed, key, "{ }", 0), nonce);
  EXPECT_NE(attestation_nonce("a", seed, key, "{}", 1), nonce);
}

}  // namespace
}  // namespace gpuassay
