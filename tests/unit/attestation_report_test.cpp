#include "collector/attestation/report.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/attestation_maker.h"

namespace gpuassay {
namespace {

constexpr Digest kReportNonce{1, 2, 3, 4, 5};

std::string report_of(std::size_t blocks = 3, std::size_t opaque_bytes = 10) {
  return test::unsigned_report(kReportNonce, {blocks, opaque_bytes}) + std::string(kReportSignatureBytes, '\x7e');
}

std::string report_problem(const std::string& bytes) {
  const ParsedReport parsed = parse_attestation_report(bytes);
  EXPECT_EQ(parsed.report.has_value(), parsed.problem.empty());
  EXPECT_EQ(parsed.problem.find('\n'), std::string::npos);
  return parsed.problem;
}

TEST(AttestationReport, ItsPartsAreFound) {
  const std::string bytes = report_of();
  const ParsedReport parsed = parse_attestation_report(bytes);
  ASSERT_TRUE(parsed.report) << parsed.problem;
  EXPECT_EQ(parsed.report->nonce, kReportNonce);
  EXPECT_EQ(parsed.report->measurements, 3U);
  EXPECT_EQ(parsed.report->signed_bytes, std::string_view(bytes).substr(0, bytes.size() - 96));
  EXPECT_EQ(parsed.report->signature, std::string(96, '\x7e'));
  // 37 + 8 + 3 blocks of 4 + 3 + 48 bytes + 32 + 2 + 10.
  EXPECT_EQ(parsed.report->signed_bytes.size(), 254U);
  EXPECT_EQ(report_problem(report_of(0, 0)), "");
  EXPECT_EQ(report_problem(report_of(255, 422)), "") << "more than the buffer of NVML holds, less than is taken";
}

TEST(AttestationReport, OfEveryOtherLengthItIsNone) {
  const std::string bytes = report_of();
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_NE(report_problem(bytes.substr(0, length)), "") << length;
  for (std::size_t more = 1; more < 300; ++more) EXPECT_NE(report_problem(bytes + std::string(more, '\0')), "") << more;
  EXPECT_NE(report_problem(std::string(kMostReportBytes + 1, '\x11')).find("16384 are taken"), std::string::npos);
  EXPECT_NE(report_problem(std::string(kMostReportBytes, '\x11')), "");
}

TEST(AttestationReport, LengthsThatAreLies) {
  constexpr std::size_t kBlocksAt = 41, kRecordLengthAt = 42, kFirstBlockAt = 45;
  constexpr std::size_t kOpaqueLengthAt = 45 + 3 * 55 + 32;
  for (const std::size_t at : {kBlocksAt, kRecordLengthAt, kRecordLengthAt + 1, kRecordLengthAt + 2, kFirstBlockAt + 1,
                               kOpaqueLengthAt, kOpaqueLengthAt + 1}) {
    const std::string good = report_of();
    for (int value = 0; value < 256; ++value) {
      std::string bytes = good;
      if (bytes[at] == static_cast<char>(value)) continue;
      bytes[at] = static_cast<char>(value);
      EXPECT_NE(report_problem(bytes), "") << at << " = " << value;
    }
  }
  for (const std::size_t at : {kFirstBlockAt + 2, kFirstBlockAt + 3}) {
    std::string bytes = report_of();
    bytes[at] = '\xff';
    EXPECT_EQ(report_problem(bytes).find("its measurements end within number"), 0U) << report_problem(bytes);
  }
}

TEST(AttestationReport, OtherMessagesAreNamed) {
  const auto with = [](std::size_t at, char value) {
    std::string bytes = report_of();
    bytes[at] = value;
    return report_problem(bytes);
  };
  EXPECT_EQ(with(0, '\x12'), "its request has version 1.2; 1.1 is known");
  EXPECT_EQ(with(1, '\xe1'), "its request has the code 0xe1 instead of 0xe0");
  EXPECT_EQ(with(2, '\x02'), "its request asked for no signature");
  EXPECT_EQ(with(37, '\x10'), "its answer has version 1.0; 1.1 is known");
  EXPECT_EQ(with(38, '\x7f'), "its answer has the code 0x7f instead of 0x60") << "SPDM's ERROR";
}

TEST(AttestationReport, WhateverComesIsLookedAt) {
  std::mt19937 random(7);  // NOLINT(bugprone-random-generator-seed): the same bytes each time
  const std::string good = report_of();
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (unsigned change = random() % 4 + 1; change > 0; --change) {
      const std::size_t at = random() % bytes.size();
      if (random() % 8 == 0) bytes.resize(at + 1);
      bytes[std::min(at, bytes.size() - 1)] = static_cast<char>(random());
    }
    const ParsedReport parsed = parse_attestation_report(bytes);
    if (parsed.report)
      ASSERT_EQ(parsed.report->signed_bytes.size() + parsed.report->signature.size(), bytes.size());
    else
      ASSERT_NE(parsed.problem, "");
  }
}

}  // namespace
}  // namespace gpuassay
