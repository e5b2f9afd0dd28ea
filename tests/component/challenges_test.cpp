// The collector's side of verified runs: who may ask, what is answered, and what is stored.
#include "collector/floor/challenges.h"

#include <gtest/gtest.h>

#include "tests/support/floor_session.h"

namespace gpuassay {
namespace {

using Status = FloorAnswer::Status;

class ChallengesTest : public testing::Test {
 protected:
  test::FloorSession session_;
};

TEST_F(ChallengesTest, WorkThatIsRightAndFastEnoughIsVerified) {
  test::ReferenceFloorDevice device(test::FloorSession::work());
  const FloorReport report = session_.play(device, 4, test::FloorSession::seconds_for(0.95, 4));
  ASSERT_EQ(report.outcomes.size(), 1U);
  EXPECT_EQ(report.outcomes[0].state, FloorState::right) << report.outcomes[0].reason;
  EXPECT_EQ(report.trust, "floor_verified");
  EXPECT_EQ(session_.trust(), "floor_verified");
  EXPECT_EQ(session_.changes, 1);
  const auto proofs = session_.proofs.of_run(test::example_result().run_id);
  ASSERT_EQ(proofs.size(), 1U);
  EXPECT_EQ(proofs[0].steps, 4U);
  EXPECT_EQ(proofs[0].draws, 64U);
}

TEST_F(ChallengesTest, WorkThatIsRightAndSlowShowsItsRatioWithoutTheLabel) {
  test::ReferenceFloorDevice device(test::FloorSession::work());
  const FloorReport report = session_.play(device, 4, test::FloorSession::seconds_for(0.5, 4));
  EXPECT_EQ(report.outcomes[0].state, FloorState::right);
  EXPECT_EQ(report.trust, "recomputed");
  const Result result = with_own_figures(test::example_result());
  bool seen = false;
  for (const FigureTrust& figure : trust_of_figures(result, session_.proofs.of_run(result.run_id))) {
    if (figure.ratio) {
      seen = true;
      EXPECT_TRUE(figure.figure.starts_with("gemm_tflop_per_s.fp32.")) << figure.figure;
      EXPECT_LT(*figure.ratio, 0.6);
      EXPECT_EQ(figure.label, Trust::recomputed);
    } else {
      EXPECT_EQ(figure.label, Trust::self_reported) << figure.figure;
    }
  }
  EXPECT_TRUE(seen);
}

TEST_F(ChallengesTest, OnlyTheKeyOfAStoredRunIsChallenged) {
  EXPECT_EQ(session_.ask(session_.other, session_.request()).status, Status::unknown);
  FloorRequest request = session_.request();
  request.run_id = "019a3b5c-8e00-7a11-8b22-0000000fffff";
  EXPECT_EQ(session_.ask(session_.agent, request).status, Status::unknown);
  const std::string body = to_text(session_.request());
  EXPECT_EQ(session_.challenges.ask({"/v1/challenges", body, std::nullopt, std::nullopt}).status,
            Status::unsigned_message);
  FloorMessage message = test::FloorSession::signed_message(session_.agent, "/v1/challenges", body);
  message.signature_base64 =
      test::FloorSession::signed_message(session_.other, "/v1/challenges", body).signature_base64;
  EXPECT_EQ(session_.challenges.ask(message).status, Status::bad_signature);
  EXPECT_EQ(session_.challenges.ask(test::FloorSession::signed_message(session_.agent, "/v1/challenges", "{")).status,
            Status::malformed);
}

TEST_F(ChallengesTest, ADeviceWorksInADtypeThatItHasAFigureOf) {
  FloorRequest request = session_.request();
  request.work[0].dtype = DType::fp16;
  EXPECT_EQ(session_.ask(session_.agent, request).status, Status::malformed);
  request = session_.request();
  request.work[0].device = 1;
  EXPECT_EQ(session_.ask(session_.agent, request).status, Status::malformed);
}

TEST_F(ChallengesTest, WhatTakesTooLongToCheckIsRefused) {
  FloorRequest request = test::FloorSession::request();
  request.work.reserve(64);
  request.work[0].shape = {256, 256, 262'144, largest_floor_integer(262'144)};
  while (request.work.size() < 64) {
    request.work.push_back(request.work[0]);
    request.work.back().device = static_cast<int>(request.work.size()) - 1;
  }
  const FloorAnswer answer = session_.ask(session_.agent, request);
  EXPECT_EQ(answer.status, Status::malformed);
  EXPECT_NE(answer.detail.find("take too long to check"), std::string::npos) << answer.detail;
}

TEST_F(ChallengesTest, ARunOfLongAgoIsNotChallenged) {
  session_.pass_s(16 * 60);
  EXPECT_EQ(session_.ask().status, Status::too_late);
}

TEST_F(ChallengesTest, EverySeedIsAnother) {
  const FloorChallenge first = floor_challenge_from(session_.ask().body);
  const FloorChallenge second = floor_challenge_from(session_.ask().body);
  EXPECT_NE(first.seed, second.seed);
  EXPECT_NE(first.id, second.id);
  EXPECT_EQ(session_.commit(session_.agent, first.id, {{{0, 1, {}}}}).status, Status::unknown)
      << "a run has one challenge at a time";
}

TEST_F(ChallengesTest, TheSameCommitmentGetsTheSameDrawsAndAnotherNone) {
  const FloorChallenge challenge = floor_challenge_from(session_.ask().body);
  const FloorCommitment commitment{{{0, 10, Digest{1}}}};
  const FloorAnswer first = session_.commit(session_.agent, challenge.id, commitment);
  ASSERT_EQ(first.status, Status::done) << first.detail;
  EXPECT_EQ(session_.commit(session_.agent, challenge.id, commitment).body, first.body);
  EXPECT_EQ(session_.commit(session_.agent, challenge.id, {{{0, 10, Digest{2}}}}).status, Status::too_late);
  EXPECT_EQ(session_.ask().status, Status::too_late) << "a run is shown once";
  EXPECT_EQ(session_.commit(session_.other, challenge.id, commitment).status, Status::unknown);
  for (const FloorDraw& draw : floor_draws_from(first.body)) {
    EXPECT_LT(draw.step, 10U);
    EXPECT_LT(draw.tile, 256);
  }
}

TEST_F(ChallengesTest, ACommitmentIsOfTheDevicesThatWereAsked) {
  const FloorChallenge challenge = floor_challenge_from(session_.ask().body);
  for (const FloorCommitment& commitment :
       {FloorCommitment{{{1, 10, {}}}}, FloorCommitment{{{0, 0, {}}}}, FloorCommitment{{{0, 10, {}}, {1, 10, {}}}},
        FloorCommitment{{{0, 4'000'000'000, {}}}}})
    EXPECT_EQ(session_.commit(session_.agent, challenge.id, commitment).status, Status::malformed);
  EXPECT_EQ(session_.commit(session_.agent, challenge.id, {{{0, 10, {}}}}).status, Status::done);
}

TEST_F(ChallengesTest, OpeningsComeAfterTheCommitmentAndAreComplete) {
  const FloorChallenge challenge = floor_challenge_from(session_.ask().body);
  EXPECT_EQ(session_.open(session_.agent, challenge.id, {}).status, Status::malformed);
  ASSERT_EQ(session_.commit(session_.agent, challenge.id, {{{0, 10, {}}}}).status, Status::done);
  EXPECT_EQ(session_.open(session_.agent, challenge.id, FloorOpenings(63)).status, Status::malformed);
  EXPECT_EQ(session_.open(session_.other, challenge.id, FloorOpenings(64)).status, Status::unknown);
  EXPECT_EQ(session_.open(session_.agent, challenge.id, FloorOpenings(64)).status, Status::queued);
  const FloorReport report = session_.report(challenge.id);
  EXPECT_EQ(report.outcomes[0].state, FloorState::wrong);
  EXPECT_NE(report.outcomes[0].reason.find("not in the commitment"), std::string::npos) << report.outcomes[0].reason;
  EXPECT_EQ(report.trust, "self_reported") << "a mismatch is unverified, never an accusation";
  EXPECT_EQ(session_.open(session_.agent, challenge.id, FloorOpenings(64)).status, Status::queued)
      << "an answer that was lost is given again";
}

TEST_F(ChallengesTest, AChallengeEnds) {
  const FloorChallenge challenge = floor_challenge_from(session_.ask().body);
  session_.pass_s(181);
  EXPECT_EQ(session_.commit(session_.agent, challenge.id, {{{0, 10, {}}}}).status, Status::unknown);
  EXPECT_EQ(session_.challenges.outcomes(challenge.id).status, Status::unknown);
}

TEST_F(ChallengesTest, WhatIsTakenBackLeavesNoProof) {
  test::ReferenceFloorDevice device(test::FloorSession::work());
  session_.play(device, 2, 1);
  const std::string run_id = test::example_result().run_id;
  ASSERT_EQ(session_.store.retract(run_id, base64(session_.agent.public_key()), 1), RetractOutcome::retracted);
  EXPECT_TRUE(session_.proofs.of_run(run_id).empty());
}

}  // namespace
}  // namespace gpuassay
