// What a device's own word is worth in a verified run: the label, what is stored of it, and what it cannot do.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "collector/floor/attestation_counts.h"
#include "collector/floor/attestations.h"
#include "collector/floor/floor_routes.h"
#include "tests/support/attested_session.h"

namespace gpuassay {
namespace {

using AnswerStatus = FloorAnswer::Status;
using test::AttestedSession;
using test::AttestedWork;
using test::AttestingDevice;
using test::FloorSession;
using test::ReferenceFloorDevice;

class AttestationLabel : public testing::Test {
 protected:
  /// The whole protocol, with this word of device 0.
  FloorReport play(const AttestingDevice& gpu) {
    ReferenceFloorDevice device(FloorSession::work());
    const AttestedWork work = session_.committed(device);
    EXPECT_EQ(
        session_.attest(session_.agent, work.id(), {AttestedSession::said(gpu, work.nonce(session_.agent))}).status,
        AnswerStatus::done);
    return session_.opened(work);
  }
  FloorProof proof() const { return session_.proofs.of_run(test::example_result().run_id).at(0); }

  AttestedSession session_;
  AttestingDevice gpu_{session_.maker, "GH100"};
};

TEST_F(AttestationLabel, RightWorkOfACertifiedDeviceIsAttested) {
  const FloorReport report = play(gpu_);
  ASSERT_EQ(report.outcomes.size(), 1U);
  EXPECT_EQ(report.outcomes[0].state, FloorState::right) << report.outcomes[0].reason;
  EXPECT_EQ(report.outcomes[0].attestation, (AttestationOutcome{AttestationState::verified, "", "GH100"}));
  EXPECT_EQ(report.trust, "attested");
  EXPECT_EQ(session_.trust(), "attested");
  EXPECT_EQ(session_.attested, std::vector{AttestationState::verified});
  EXPECT_EQ(proof().evidence_sha256.size(), 64U);
  EXPECT_FALSE(proof().speed_confirmed) << "of GPUs it is not known what honest ones show";
}

TEST_F(AttestationLabel, TheFiguresOfItsDtypeAreAttestedAndNoOther) {
  play(gpu_);
  PoolChecks pool(*session_.pool);
  FloorRoutes routes(session_.challenges, session_.proofs, pool, session_.store);
  HttpRequest request;
  request.method = "GET";
  request.path = "/v1/results/" + test::example_result().run_id + "/trust";
  const auto shown = nlohmann::json::parse(routes.answer(request).body);
  EXPECT_EQ(shown["trust"], "attested");
  std::size_t attested = 0;
  for (const auto& figure : shown["figures"]) {
    const bool is_of_proof = figure["figure"].get<std::string>().starts_with("gemm_tflop_per_s.fp32.");
    EXPECT_EQ(figure["label"], is_of_proof ? "attested" : "self_reported") << figure;
    attested += is_of_proof ? 1 : 0;
  }
  EXPECT_GT(attested, 0U);
  const auto& said = shown["proofs"][0]["attestation"];
  EXPECT_EQ(said["state"], "verified");
  EXPECT_EQ(said["chip"], "GH100");
  EXPECT_EQ(said["evidence_sha256"], proof().evidence_sha256);
  EXPECT_EQ(shown["proofs"][0]["speed_confirmed"], false);
}

TEST_F(AttestationLabel, WhatIsNotConfirmedCostsNothingButTheLabel) {
  const test::CertifiedKey other = test::test_maker();
  const FloorReport report = play(AttestingDevice(other, "GH100"));
  EXPECT_EQ(report.trust, "recomputed");
  ASSERT_TRUE(report.outcomes[0].attestation);
  EXPECT_EQ(report.outcomes[0].attestation->state, AttestationState::refused);
  EXPECT_NE(report.outcomes[0].attestation->reason, "");
  EXPECT_EQ(report.outcomes[0].state, FloorState::right) << "the work stays what it was";
  EXPECT_EQ(session_.attested, std::vector{AttestationState::refused});
}

TEST_F(AttestationLabel, AChipThatTheRunsDeviceIsNotMadeOfIsRefused) {
  const FloorReport report = play(AttestingDevice(session_.maker, "GB100"));
  EXPECT_EQ(report.trust, "recomputed");
  EXPECT_NE(report.outcomes[0].attestation->reason.find("chip GB100"), std::string::npos);
}

TEST_F(AttestationLabel, ASwitchOfTheSameMakerIsNoGpu) {
  const FloorReport report = play(AttestingDevice(session_.maker, "LS_10"));
  EXPECT_EQ(report.trust, "recomputed");
  EXPECT_NE(report.outcomes[0].attestation->reason.find("'LS_10'"), std::string::npos);
}

TEST_F(AttestationLabel, WorkThatIsWrongIsNotAttested) {
  ReferenceFloorDevice lazy(FloorSession::work(), [](std::uint32_t, std::int64_t) { return true; });
  const AttestedWork work = session_.committed(lazy);
  session_.attest(session_.agent, work.id(), {AttestedSession::said(gpu_, work.nonce(session_.agent))});
  const FloorReport report = session_.opened(work);
  EXPECT_EQ(report.outcomes[0].state, FloorState::wrong);
  EXPECT_EQ(report.outcomes[0].attestation->state, AttestationState::verified) << "the device is what it is";
  EXPECT_EQ(report.trust, "self_reported");
}

TEST_F(AttestationLabel, TheMessageComesOnceBetweenCommitmentAndOpenings) {
  const FloorChallenge open = floor_challenge_from(session_.ask().body);
  EXPECT_EQ(open.takes_attestations, true);
  const std::vector<FloorAttestation> said{AttestedSession::said(gpu_, Digest{})};
  EXPECT_EQ(session_.attest(session_.agent, open.id, said).status, AnswerStatus::malformed) << "nothing is committed";
  ReferenceFloorDevice device(FloorSession::work());
  const AttestedWork work = session_.committed(device);
  EXPECT_EQ(session_.attest(session_.other, work.id(), said).status, AnswerStatus::unknown);
  EXPECT_EQ(session_.attest(session_.agent, work.id(), {{7, "", ""}}).status, AnswerStatus::malformed);
  const std::string body = to_text(said);
  EXPECT_EQ(session_.challenges.attest(work.id(), {"/x", body, std::nullopt, std::nullopt}).status,
            AnswerStatus::unsigned_message);
  EXPECT_EQ(session_.challenges.attest(work.id(), {"/x", "{}", std::nullopt, std::nullopt}).status,
            AnswerStatus::malformed);
  const std::vector<FloorAttestation> right{AttestedSession::said(gpu_, work.nonce(session_.agent))};
  EXPECT_EQ(session_.attest(session_.agent, work.id(), right).status, AnswerStatus::done);
  EXPECT_EQ(session_.attest(session_.agent, work.id(), right).status, AnswerStatus::done) << "its answer was lost";
  EXPECT_EQ(session_.attest(session_.agent, work.id(), said).status, AnswerStatus::too_late);
  EXPECT_EQ(session_.opened(work).trust, "attested");
  EXPECT_EQ(session_.attest(session_.agent, work.id(), said).status, AnswerStatus::too_late);
}

TEST_F(AttestationLabel, AnAgentThatSaysNothingIsJudgedAsBefore) {
  ReferenceFloorDevice device(FloorSession::work());
  const FloorReport report = session_.play(device, 4, FloorSession::seconds_for(0.9, 4));
  EXPECT_EQ(report.trust, "recomputed");
  EXPECT_EQ(report.outcomes[0].attestation, std::nullopt);
  EXPECT_TRUE(session_.attested.empty());
}

TEST(AttestationWithoutRoots, NothingIsTakenOrAskedFor) {
  FloorSession session(test::gpu_example_result(), {});
  const FloorChallenge challenge = floor_challenge_from(session.ask().body);
  EXPECT_EQ(challenge.takes_attestations, std::nullopt);
  EXPECT_EQ(session.attest(session.agent, challenge.id, {{0, "", ""}}).status, AnswerStatus::unknown);
}

/// A proof of device 0 in fp32 that is this share of its fastest figure there.
FloorProof proof_of_share(const Result& result, double share) {
  double claimed = 0;
  for (const FloorClaim& claim : floor_claims(result)) claimed = std::max(claimed, claim.tflop_per_s);
  FloorProof proof;
  proof.outcome.dtype = DType::fp32;
  proof.outcome.state = FloorState::right;
  proof.outcome.floor_tflop_per_s = share * claimed;
  proof.outcome.attestation = {AttestationState::verified, "", "GH100"};
  return proof;
}

TEST(AttestedTrust, DoesNotOutrankAFloorThatWasNotReached) {
  const Result cpu = with_own_figures(test::example_result());  // of CPUs the threshold is known
  const FloorProof slow = proof_of_share(cpu, 0.4), fast = proof_of_share(cpu, 0.9);
  EXPECT_EQ(trust_of_run(cpu, {slow}), Trust::recomputed);
  EXPECT_FALSE(is_speed_confirmed(cpu, slow));
  bool is_suspect = false;
  for (const FigureTrust& figure : trust_of_figures(cpu, {slow})) is_suspect = is_suspect || figure.is_suspect;
  EXPECT_TRUE(is_suspect);
  EXPECT_EQ(trust_of_run(cpu, {fast}), Trust::attested);
  EXPECT_TRUE(is_speed_confirmed(cpu, fast));
  const Result gpu = with_own_figures(test::gpu_example_result());
  EXPECT_EQ(trust_of_run(gpu, {slow}), Trust::attested) << "which figure a GPU must show is not known";
  EXPECT_FALSE(is_speed_confirmed(gpu, fast));
}

TEST(AttestedTrust, ADeviceOfUnknownSpeedDoesNotMakeOthersFloorVerified) {
  Result both = test::example_result();
  Device gpu = test::gpu_example_result().devices.at(0);
  gpu.index = 1;
  std::vector<Measurement> of_the_gpu = both.measurements;
  for (Measurement& measurement : of_the_gpu) measurement.device = 1;
  both.devices.push_back(gpu);
  both.measurements.insert(both.measurements.end(), of_the_gpu.begin(), of_the_gpu.end());
  both = with_own_figures(both);
  FloorProof of_cpu = proof_of_share(both, 0.9), of_gpu = of_cpu;
  of_cpu.outcome.attestation.reset();
  of_gpu.outcome.device = 1;
  EXPECT_EQ(trust_of_run(both, {of_cpu, of_gpu}), Trust::recomputed)
      << "floor_verified and attested: neither holds of both";
}

TEST(AttestationCounts, ByWhatTheyShowed) {
  AttestationCounts counts;
  counts.add(AttestationState::refused);
  counts.add(AttestationState::verified);
  counts.add(AttestationState::refused);
  EXPECT_EQ(counts.verified(), 1U);
  EXPECT_EQ(counts.refused(), 2U);
}

}  // namespace
}  // namespace gpuassay
