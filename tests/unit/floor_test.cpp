// The arithmetic of verified runs: the numbers, the tiles, the messages and what is proven.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/floor/check.h"
#include "core/floor/claims.h"
#include "core/floor/messages.h"
#include "core/floor/philox.h"

namespace gpuassay {
namespace {

using Words = std::array<std::uint32_t, 4>;

Words first_block(const PhiloxStream& stream, std::uint64_t block) {
  std::array<unsigned char, kPhiloxBytes> bytes{};
  philox_blocks(stream, block, bytes);
  Words words{};
  for (std::size_t i = 0; i < 16; ++i) words[i / 4] |= std::uint32_t{bytes[i]} << (8 * (i % 4));
  return words;
}

TEST(Philox, GivesThePublishedNumbers) {
  // kat_vectors of the authors' library, philox4x32 with 10 rounds.
  EXPECT_EQ(first_block({{0, 0}, {0, 0}}, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(first_block({{0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}}, 0xffffffffffffffff),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(first_block({{0xa4093822, 0x299f31d0}, {0x13198a2e, 0x03707344}}, 0x85a308d3243f6a88),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, BlocksFollowOneAnother) {
  const PhiloxStream stream{{7, 8}, {9, 10}};
  std::array<unsigned char, kPhiloxBytes> bytes{};
  philox_blocks(stream, 100, bytes);
  for (std::size_t block = 0; block < kPhiloxBlocks; ++block) {
    const Words alone = first_block(stream, 100 + block);
    for (std::size_t i = 0; i < 16; ++i)
      ASSERT_EQ(bytes[16 * block + i], static_cast<unsigned char>(alone[i / 4] >> (8 * (i % 4)))) << block;
  }
}

FloorSeed seed_of(unsigned char first) {
  FloorSeed seed{};
  seed[0] = first;
  return seed;
}

TEST(FloorOperands, FollowFromSeedDeviceStepAndWhatCameBefore) {
  const Digest before{1};
  const PhiloxStream stream = stream_of_a(seed_of(1), 0, 2, before);
  EXPECT_EQ(stream, stream_of_a(seed_of(1), 0, 2, before));
  EXPECT_NE(stream, stream_of_a(seed_of(2), 0, 2, before));
  EXPECT_NE(stream, stream_of_a(seed_of(1), 1, 2, before));
  EXPECT_NE(stream, stream_of_a(seed_of(1), 0, 3, before));
  EXPECT_NE(stream, stream_of_a(seed_of(1), 0, 2, Digest{2}));
  EXPECT_NE(stream_of_b(seed_of(1), 0), stream_of_b(seed_of(1), 1));
  EXPECT_NE(stream_of_b(seed_of(1), 0), stream_of_b(seed_of(2), 0));
}

TEST(FloorOperands, AreSmallIntegersOfEverySize) {
  std::vector<std::int8_t> integers(1 << 14);
  fill_integers(stream_of_b(seed_of(1), 0), 15, 0, integers);
  const auto [least, most] = std::minmax_element(integers.begin(), integers.end());
  EXPECT_EQ(*least, -15);
  EXPECT_EQ(*most, 15);
  const double mean = std::accumulate(integers.begin(), integers.end(), 0.0) / static_cast<double>(integers.size());
  EXPECT_NEAR(mean, 0, 0.5);
  std::vector<std::int8_t> later(kPhiloxBytes);
  fill_integers(stream_of_b(seed_of(1), 0), 15, 1024, later);
  EXPECT_TRUE(std::equal(later.begin(), later.end(), integers.begin() + 1024));
}

TEST(FloorShape, IsExactInEveryArithmeticOrRefused) {
  EXPECT_EQ(shape_problem({1024, 1024, 8192, 15}), std::nullopt);
  EXPECT_EQ(shape_problem({4096, 4096, 32768, 15}), std::nullopt);
  EXPECT_EQ(shape_problem({8192, 16384, 131072, 7}), std::nullopt);
  EXPECT_NE(shape_problem({4096, 4096, 65536, 15}), std::nullopt) << "15 * 15 * 65536 is more than 2^23";
  EXPECT_NE(shape_problem({1000, 1024, 8192, 15}), std::nullopt);
  EXPECT_NE(shape_problem({1024, 1024, 512, 15}), std::nullopt);
  EXPECT_NE(shape_problem({1024, 1024, 8192, 0}), std::nullopt);
  EXPECT_NE(shape_problem({1024, 1024, 8192, 16}), std::nullopt);
  EXPECT_NE(shape_problem({1024, 1024, 8192, 1}), std::nullopt) << "numbers of two bits are another product";
  EXPECT_NE(shape_problem({-1024, 1024, 8192, 15}), std::nullopt);
  EXPECT_NE(shape_problem({std::int64_t{1} << 40, 1024, 8192, 15}), std::nullopt);
  EXPECT_TRUE(is_exact(DType::bf16));
  EXPECT_FALSE(is_exact(DType::fp8_e4m3));
  EXPECT_FALSE(is_exact(DType::fp16_acc16));
}

TEST(FloorTiles, AreTheProductOfTheOperands) {
  const FloorShape shape{256, 512, 2048, 15};
  const FloorStep step{seed_of(5), 3, 1, Digest{9}};
  std::vector<std::int8_t> a(static_cast<std::size_t>(shape.m * shape.k)),
      b(static_cast<std::size_t>(shape.n * shape.k));
  fill_integers(stream_of_a(step.seed, step.device, step.step, step.before), shape.largest, 0, a);
  fill_integers(stream_of_b(step.seed, step.device), shape.largest, 0, b);
  constexpr std::int64_t kTile = 32 * 7 + 5;  // 32 across: rows from 112, columns from 80
  const Tile tile = recompute_tile(shape, step, kTile);
  for (const std::int64_t row : {0, 3, 15}) {
    for (const std::int64_t column : {0, 9, 15}) {
      std::int32_t expected = 0;
      for (std::int64_t k = 0; k < shape.k; ++k)
        expected += a[static_cast<std::size_t>((112 + row) * shape.k + k)] *
                    b[static_cast<std::size_t>((80 + column) * shape.k + k)];
      EXPECT_EQ(tile[static_cast<std::size_t>(row * 16 + column)], expected) << row << ", " << column;
    }
  }
}

TEST(FloorCheck, SixtyFourRightTilesProveNineteenTwentieths) {
  EXPECT_NEAR(proven_share(64), 0.954, 0.0005);
  EXPECT_NEAR(std::pow(proven_share(12), 12), 0.05, 1e-12);
  // 100 steps of 2 * 1024 * 1024 * 8192 in 8 s.
  EXPECT_NEAR(floor_tflop_per_s({1024, 1024, 8192, 15}, 100, 8'000'000'000, 64), 0.2147 * 0.9543, 1e-3);
}

TEST(FloorCheck, DrawsAreWhatOneCoreRecomputesInASecond) {
  EXPECT_EQ(draws_of_device(1, 8192), 64U);
  EXPECT_EQ(draws_of_device(1, 131'072), 64U);
  EXPECT_LT(draws_of_device(8, 131'072), 64U);
  EXPECT_EQ(draws_of_device(8, 262'144), 7U);
  EXPECT_TRUE(can_be_checked(8, 262'144));
  EXPECT_TRUE(can_be_checked(64, 32'768));
  EXPECT_FALSE(can_be_checked(64, 262'144)) << "four tiles of each take four seconds";
}

template <class Read>
void expect_refused(const Read& read, const std::string& text) {
  try {
    read(text);
    ADD_FAILURE() << "taken: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unreadable_input) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(FloorMessages, AreReadAsTheyWereWritten) {
  const FloorRequest request{"run", {{1, DType::bf16, {1024, 2048, 8192, 15}}}};
  const FloorRequest read = floor_request_from(to_text(request));
  EXPECT_EQ(read.run_id, "run");
  ASSERT_EQ(read.work.size(), 1U);
  EXPECT_EQ(read.work[0].dtype, DType::bf16);
  EXPECT_EQ(read.work[0].shape, request.work[0].shape);
  const FloorChallenge challenge{std::string(32, 'a'), seed_of(3), 8};
  EXPECT_EQ(floor_challenge_from(to_text(challenge)).seed, challenge.seed);
  const FloorCommitment commitment = floor_commitment_from(to_text(FloorCommitment{{{2, 77, Digest{4}}}}));
  EXPECT_EQ(commitment.devices.at(0).steps, 77U);
  EXPECT_EQ(commitment.devices.at(0).root, Digest{4});
  const std::vector<FloorDraw> draws{{0, 1, 2}, {0, 5, 7}};
  EXPECT_EQ(floor_draws_from(to_text(draws)), draws);
  const FloorOpenings openings{{Digest{1}, Digest{2}, {Digest{3}}, {Digest{4}, Digest{5}}, {}}};
  const FloorOpenings opened = floor_openings_from(to_text(openings));
  EXPECT_EQ(opened.at(0).after_path, openings[0].after_path);
  FloorReport report{"floor_verified", {{}}};
  report.outcomes[0].state = FloorState::right;
  report.outcomes[0].floor_tflop_per_s = 0.25;
  EXPECT_EQ(floor_report_from(to_text(report)).outcomes.at(0).floor_tflop_per_s, 0.25);
}

TEST(FloorMessages, WhatDevicesSayIsOptional) {
  FloorChallenge challenge{std::string(32, 'a'), seed_of(3), 8};
  EXPECT_EQ(to_text(challenge).find("attestation"), std::string::npos) << "as collectors of before wrote it";
  EXPECT_EQ(floor_challenge_from(to_text(challenge)).takes_attestations, std::nullopt);
  challenge.takes_attestations = true;
  EXPECT_EQ(floor_challenge_from(to_text(challenge)).takes_attestations, true);
  std::string newer = to_text(challenge);
  newer.insert(1, R"("what a later collector adds":[1],)");
  EXPECT_EQ(floor_challenge_from(newer).seconds, 8) << "an agent passes over what it does not know";
  FloorReport report{"attested", {{}}};
  report.outcomes[0].attestation = {AttestationState::verified, "", "GH100"};
  EXPECT_EQ(floor_report_from(to_text(report)).outcomes.at(0).attestation, report.outcomes[0].attestation);
  const std::string bytes("\x00\xff\n", 3);
  const auto read = floor_attestations_from(to_text(std::vector<FloorAttestation>{{4, bytes, "pem"}}));
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].device, 4);
  EXPECT_EQ(read[0].report, bytes);
  EXPECT_EQ(read[0].certificates, "pem");
}

TEST(FloorMessages, AnythingElseIsRefused) {
  for (const char* text :
       {"", "null", "[]", "{}", "{\"run_id\":\"a\",\"work\":[]}", "{\"run_id\":1,\"work\":[]}", "<html>", "{\"draws\":",
        R"({"run_id":"a","work":[{"device":-1,"dtype":"fp32","m":1024,"n":1024,"k":8192,"largest":15}]})",
        R"({"run_id":"a","work":[{"device":0,"dtype":"fp8_e4m3","m":1024,"n":1024,"k":4096,"largest":1}]})",
        R"({"run_id":"a","work":[{"device":0,"dtype":"fp32","m":1e99,"n":1024,"k":8192,"largest":15}]})",
        R"({"run_id":"a","work":[{"device":0,"dtype":"fp32","m":1000,"n":1024,"k":8192,"largest":15}]})"}) {
    expect_refused(floor_request_from, text);
    expect_refused(floor_challenge_from, text);
    expect_refused(floor_commitment_from, text);
    expect_refused(floor_draws_from, text);
    expect_refused(floor_openings_from, text);
    expect_refused(floor_report_from, text);
    expect_refused(floor_attestations_from, text);
  }
  expect_refused(floor_attestations_from, R"({"attestations":[{"device":0,"report":"?","certificates":""}]})");
  expect_refused(floor_attestations_from, to_text(std::vector<FloorAttestation>{{1, "", ""}, {1, "", ""}}));
  expect_refused(floor_attestations_from, to_text(std::vector<FloorAttestation>{{1, std::string(20'000, 'r'), ""}}));
  const std::string twice = to_text(FloorCommitment{{{2, 77, {}}, {2, 78, {}}}});
  expect_refused(floor_commitment_from, twice);
  expect_refused(floor_challenge_from, to_text(FloorChallenge{std::string(32, 'g'), {}, 8}));
  expect_refused(floor_challenge_from, to_text(FloorChallenge{std::string(32, 'a'), {}, 1e6}));
  expect_refused(floor_draws_from, to_text(std::vector<FloorDraw>{{0, 0, -1}}));
}

TEST(FloorClaims, TheFastestDtypeOfTheScoreIsVerified) {
  Result result;
  DeviceSummary summary;
  summary.device = 2;
  summary.gemm_tflop_per_s["fp32"] = {10, 9};
  summary.gemm_tflop_per_s["bf16"] = {80, std::nullopt};
  summary.gemm_tflop_per_s["int8"] = {160, 150};
  summary.gemm_tflop_per_s["fp8_e4m3"] = {300, 290};
  result.summary.devices.push_back(summary);
  EXPECT_EQ(dtype_to_verify(result, 2), DType::bf16);
  EXPECT_EQ(dtype_to_verify(result, 0), std::nullopt);
  EXPECT_EQ(floor_claims(result).size(), 5U) << "fp8 does not add exactly";
}

}  // namespace
}  // namespace gpuassay
