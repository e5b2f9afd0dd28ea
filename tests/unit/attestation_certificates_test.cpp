#include "collector/attestation/certificates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "core/error.h"
#include "tests/support/attestation_maker.h"

namespace gpuassay {
namespace {

using test::AttestingDevice;
using test::CertifiedKey;

constexpr std::int64_t kCertificatesNowMs = 1'800'000'000'000;

class Certificates : public testing::Test {
 protected:
  static test::CertificateWish wish(const std::string& name) {
    test::CertificateWish wished;
    wished.name = name;
    return wished;
  }
  static AttestationRoots trusted(const CertifiedKey& root) {
    return AttestationRoots::from_pem(test::pem_of(*root.certificate), "the test's root");
  }
  std::string problem(const std::string& pem, std::int64_t now_ms = kCertificatesNowMs) const {
    const ChainVerdict verdict = verify_chain(roots_, pem, now_ms);
    EXPECT_EQ(verdict.device.has_value(), verdict.problem.empty());
    EXPECT_EQ(verdict.key != nullptr, verdict.device.has_value());
    EXPECT_EQ(verdict.problem.find('\n'), std::string::npos);
    EXPECT_EQ(ERR_peek_error(), 0UL) << "the list of this thread's failures is left as it was";
    return verdict.problem;
  }
  /// The device's chain with one certificate in another's place.
  std::string with(std::size_t at, CertifiedKey other) {
    device_.keys().at(at) = std::move(other);
    return device_.certificates();
  }

  CertifiedKey root_ = test::make_root(wish("TEST ONLY root"));
  AttestationRoots roots_ = trusted(root_);
  AttestingDevice device_{root_, "GH100"};
};

TEST_F(Certificates, AChainToTheRootNamesTheChipAndTheDevice) {
  const ChainVerdict verdict = verify_chain(roots_, device_.certificates(), kCertificatesNowMs);
  ASSERT_TRUE(verdict.device) << verdict.problem;
  EXPECT_EQ(verdict.device->chip, "GH100");
  EXPECT_EQ(EVP_PKEY_eq(verdict.key.get(), &device_.key()), 1);
  const ChainVerdict without_root = verify_chain(roots_, device_.joined({0, 1, 2, 3}), kCertificatesNowMs);
  ASSERT_TRUE(without_root.device) << without_root.problem;
  EXPECT_EQ(without_root.device->identity, verdict.device->identity);
  AttestingDevice other(root_, "GH100");
  const ChainVerdict of_other = verify_chain(roots_, other.certificates(), kCertificatesNowMs);
  ASSERT_TRUE(of_other.device);
  EXPECT_NE(of_other.device->identity, verdict.device->identity);
}

TEST_F(Certificates, OfAnotherRootItIsNone) {
  const CertifiedKey other = test::make_root(wish("TEST ONLY root"));  // the name says nothing
  EXPECT_NE(problem(AttestingDevice(other, "GH100").certificates()), "");
  EXPECT_EQ(verify_chain(AttestationRoots(), device_.certificates(), kCertificatesNowMs).problem,
            "this collector trusts no maker of devices");
  const AttestationRoots both = AttestationRoots::from_pem(
      test::pem_of(*other.certificate) + test::pem_of(*root_.certificate), "the test's roots");
  EXPECT_TRUE(verify_chain(both, device_.certificates(), kCertificatesNowMs).device);
}

TEST_F(Certificates, InAnyOtherOrderItIsNone) {
  std::vector<std::size_t> order{0, 1, 2, 3, 4};
  while (std::next_permutation(order.begin(), order.end())) EXPECT_NE(problem(device_.joined(order)), "");
  for (const std::vector<std::size_t>& list : {std::vector<std::size_t>{0, 2, 3, 4},
                                               {0, 1, 3, 4},
                                               {1, 2, 3, 4},
                                               {0, 1, 2},
                                               {0, 0, 1, 2, 3, 4},
                                               {0, 1, 2, 3, 4, 4}})
    EXPECT_NE(problem(device_.joined(list)), "");
}

TEST_F(Certificates, OutsideOfItsTimeItIsNone) {
  constexpr std::int64_t kBeforeMs = 1'599'999'999'000, kAfterMs = 4'000'000'001'000;
  EXPECT_NE(problem(device_.certificates(), kBeforeMs).find("not yet valid"), std::string::npos);
  EXPECT_NE(problem(device_.certificates(), kAfterMs).find("expired"), std::string::npos);
  test::CertificateWish short_lived = wish("GH100 A01 GSP FMC TEST ONLY");
  short_lived.is_authority = false;
  short_lived.until_s = kCertificatesNowMs / 1000 - 1;
  EXPECT_EQ(problem(with(0, test::make_certificate(short_lived, device_.keys().at(1)))),
            "certificate 1: certificate has expired");
}

TEST_F(Certificates, KeysOfOtherCurvesAreRefused) {
  for (const char* curve : {"P-256", "P-521", "secp256k1"}) {
    AttestingDevice device(root_, "GH100");
    test::CertificateWish other = wish("GH100 A01 GSP FMC TEST ONLY");
    other.is_authority = false;
    other.curve = curve;
    device.keys().at(0) = test::make_certificate(other, device.keys().at(1));
    EXPECT_EQ(problem(device.certificates()), "certificate 1: its key is not of P-384") << curve;
  }
  // One that issues: the key below is certified by it.
  test::CertificateWish weak = wish("GH100 A01 GSP TEST ONLY");
  weak.curve = "P-256";
  CertifiedKey device = test::make_certificate(weak, device_.keys().at(2));
  test::CertificateWish leaf = wish("GH100 A01 GSP FMC TEST ONLY");
  leaf.is_authority = false;
  device_.keys().at(0) = test::make_certificate(leaf, device);
  EXPECT_EQ(problem(with(1, std::move(device))), "certificate 2: its key is not of P-384");
}

TEST_F(Certificates, AKeyMayDoWhatItsCertificateSays) {
  test::CertificateWish no_authority = wish("GH100 A01 GSP TEST ONLY");
  no_authority.is_authority = false;
  AttestingDevice device(root_, "GH100");
  CertifiedKey second = test::make_certificate(no_authority, device.keys().at(2));
  test::CertificateWish leaf = wish("GH100 A01 GSP FMC TEST ONLY");
  leaf.is_authority = false;
  device.keys().at(0) = test::make_certificate(leaf, second);
  device.keys().at(1) = std::move(second);
  EXPECT_NE(problem(device.certificates()), "");
  leaf.is_for_signatures = false;
  EXPECT_EQ(problem(with(0, test::make_certificate(leaf, device_.keys().at(1)))),
            "certificate 1: its key is not for signatures");
}

TEST_F(Certificates, CutAnywhereItIsNone) {
  const std::string whole = device_.certificates(), without_root = device_.joined({0, 1, 2, 3});
  for (std::size_t length = 0; length + 1 < whole.size(); length += 3) {
    // The root may be left out, as a whole.
    if (length + 1 >= without_root.size() && whole.find("-----BEGIN", without_root.size()) + 27 > length) continue;
    EXPECT_NE(problem(whole.substr(0, length)), "") << length;
  }
}

TEST_F(Certificates, WhateverElseComesIsRefused) {
  const std::string one = device_.joined({3});
  std::string many;
  for (std::size_t count = 0; count <= kMostCertificates; ++count) many += one;
  for (const std::string& text : {std::string(), std::string("-----BEGIN CERTIFICATE-----"), one, many,
                                  std::string(kMostCertificateBytes + 1, ' '), std::string(5, '\0')})
    EXPECT_NE(problem(text), "");
  const std::string locked =
      "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,000102030405060708090A0B0C0D0E0F\n\n"
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END CERTIFICATE-----\n";
  EXPECT_NE(problem(locked), "") << "nobody is asked for a password";
  std::string spoilt = device_.certificates();
  spoilt[spoilt.size() / 2] = '!';
  EXPECT_NE(problem(spoilt), "");
}

TEST_F(Certificates, NamesAreShownWhenTheyAreWords) {
  test::CertificateWish odd = wish("G<H100 A01");
  CertifiedKey second = test::make_certificate(odd, device_.keys().at(2));
  test::CertificateWish leaf = wish("leaf");
  leaf.is_authority = false;
  device_.keys().at(0) = test::make_certificate(leaf, second);
  device_.keys().at(1) = std::move(second);
  const ChainVerdict verdict = verify_chain(roots_, device_.certificates(), kCertificatesNowMs);
  ASSERT_TRUE(verdict.device) << verdict.problem;
  EXPECT_EQ(verdict.device->chip, "");
}

std::string root_refusal(const std::string& pem) {
  try {
    (void)AttestationRoots::from_pem(pem, "--attestation-root roots.pem");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unreadable_input);
    return error.what();
  }
  return "taken";
}

TEST_F(Certificates, RootsAreRoots) {
  EXPECT_EQ(root_refusal(test::pem_of(*root_.certificate)), "taken");
  EXPECT_NE(root_refusal("").find("--attestation-root roots.pem holds no"), std::string::npos);
  EXPECT_NE(root_refusal("words").find("holds no"), std::string::npos);
  EXPECT_NE(root_refusal(device_.joined({3})).find("is no root"), std::string::npos) << "certified by another";
  test::CertificateWish other = wish("curve");
  other.curve = "P-256";
  EXPECT_NE(root_refusal(test::pem_of(*test::make_root(other).certificate)).find("is no root"), std::string::npos);
  other = wish("subject");
  other.is_authority = false;
  EXPECT_NE(root_refusal(test::pem_of(*test::make_root(other).certificate)).find("is no root"), std::string::npos);
  try {
    (void)AttestationRoots::from_file("/nowhere/root.pem");
    ADD_FAILURE() << "taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--attestation-root /nowhere/root.pem"), std::string::npos);
  }
}

}  // namespace
}  // namespace gpuassay
