// Twenty-three ways to get a figure into the dataset that no machine earned. None reaches a headline, each for the
// reason that is stated. docs/SECURITY.md lists them.
#include <gtest/gtest.h>

#include <algorithm>

#include "collector/aggregates.h"
#include "collector/floor/attestations.h"
#include "core/floor/check.h"
#include "core/floor/claims.h"
#include "core/gpu_peaks.h"
#include "core/normalize.h"
#include "core/score.h"
#include "tests/support/attested_session.h"
#include "tests/support/floor_session.h"
#include "tests/support/gpu_result.h"

namespace gpuassay {
namespace {

using Status = FloorAnswer::Status;
using test::FloorSession;
using test::ReferenceFloorDevice;

constexpr std::int64_t kNowMs = 1'800'000'000'000;

class ForgeryTest : public testing::Test {
 protected:
  /// A run of a real V100, as somebody types it who has none.
  static Result typed_in(int number, double speed = 1) {
    Result result = test::simulated_v100_result();
    result.run_id.replace(result.run_id.size() - 4, 4, std::to_string(1000 + number));
    result.simulated = result.devices[0].simulated = false;
    result.devices[0].sm_count = 80;
    result.devices[0].compute_capability = "7.0";
    describe_gpu(result.devices[0], std::nullopt, std::nullopt);
    result.started_at = "2027-01-15T07:00:00.000Z";
    result.finished_at = "2027-01-15T07:01:00.500Z";
    for (Measurement& measurement : result.measurements)
      for (double& sample : measurement.samples_ns) sample /= speed;
    result.measurements = normalize_all(std::move(result.measurements), result.devices);
    result.summary = summarize(result.devices, result.measurements);
    result.score = score_run(result.devices, result.measurements);
    return result;
  }

  void expect_in_no_headline() const {
    const Aggregates aggregates = read_aggregates(*session_.pool->take(ConnectionPool::Access::write), kNowMs);
    for (const GpuAggregate& gpu : aggregates.gpus) EXPECT_FALSE(gpu.headline) << gpu.gpu_model;
    for (const OfferAggregate& offer : aggregates.offers) EXPECT_FALSE(offer.headline || offer.ranked);
  }
  std::string quarantine_of(const Result& result) {
    session_.send(result, session_.other);
    return session_.store.columns(result.run_id)->quarantine_reason.value_or("");
  }

  /// A device that leaves this share of its tiles out.
  static ReferenceFloorDevice partial(double left_out) {
    const auto skip_below = static_cast<std::int64_t>(left_out * 1000);
    return ReferenceFloorDevice(FloorSession::work(), [skip_below](std::uint32_t step, std::int64_t tile) {
      return (tile * 389 + std::int64_t{step} * 7) % 1000 < skip_below;
    });
  }
  void expect_wrong(const FloorReport& report, std::string_view reason) {
    EXPECT_EQ(report.outcomes.at(0).state, FloorState::wrong);
    EXPECT_NE(report.outcomes.at(0).reason.find(reason), std::string::npos) << report.outcomes.at(0).reason;
    EXPECT_EQ(session_.trust(), "self_reported");
  }

  FloorSession session_;
};

TEST_F(ForgeryTest, AFigureTypedIntoTheDocument) {  // 1
  Result result = typed_in(1);
  result.measurements[0].metric->value *= 2;
  EXPECT_NE(quarantine_of(result).find("figures_differ"), std::string::npos);
  expect_in_no_headline();
}

TEST_F(ForgeryTest, AScoreTypedIntoTheDocument) {  // 2
  Result result = typed_in(2);
  result.score.value = 9999;
  EXPECT_NE(quarantine_of(result).find("score_differs"), std::string::npos);
  expect_in_no_headline();
}

TEST_F(ForgeryTest, SamplesScaledBeyondPhysics) {  // 3
  EXPECT_NE(quarantine_of(typed_in(3, 20)).find("above_peak"), std::string::npos);
  expect_in_no_headline();
}

TEST_F(ForgeryTest, SamplesScaledWithinPhysicsUnderManyKeys) {  // 4
  for (int number = 0; number < 5; ++number) {
    const Result result = typed_in(10 + number, 1.2);
    ASSERT_EQ(session_.send(result, KeyPair::generate()).status, IngestStatus::created);
    EXPECT_EQ(session_.store.columns(result.run_id)->quarantine_reason, std::nullopt) << "nothing speaks against it";
  }
  const Aggregates aggregates = read_aggregates(*session_.pool->take(ConnectionPool::Access::write), kNowMs);
  ASSERT_EQ(aggregates.gpus.size(), 1U);
  EXPECT_EQ(aggregates.gpus[0].score.machines, 5U) << "it is shown as self_reported";
  expect_in_no_headline();
}

TEST_F(ForgeryTest, ARunOfAnotherMachineUnderAnotherKey) {  // 5
  ASSERT_EQ(session_.send(typed_in(20), session_.agent).status, IngestStatus::created);
  EXPECT_EQ(session_.send(typed_in(20), session_.other).status, IngestStatus::replayed) << "it stays the first key's";
  EXPECT_EQ(session_.store.columns(typed_in(20).run_id)->agent_key, base64(session_.agent.public_key()));
  expect_in_no_headline();
}

TEST_F(ForgeryTest, ASquattedRunId) {  // 6
  ASSERT_EQ(session_.send(typed_in(21), session_.other).status, IngestStatus::created);
  EXPECT_EQ(session_.send(typed_in(21, 1.1), session_.agent).status, IngestStatus::conflict);
  EXPECT_EQ(session_.ask(session_.other, FloorSession::request()).status, Status::unknown)
      << "nor is a run verified for another key";
  expect_in_no_headline();
}

TEST_F(ForgeryTest, ASignatureOfAnotherMessage) {  // 7
  const std::string body = to_text(FloorSession::request());
  FloorMessage message = FloorSession::signed_message(session_.agent, "/v1/challenges", body);
  message.signature_base64 =
      FloorSession::signed_message(session_.agent, "/v1/challenges/x/commitment", body).signature_base64;
  EXPECT_EQ(session_.challenges.ask(message).status, Status::bad_signature);
}

TEST_F(ForgeryTest, WorkDoneBeforeTheSeedWasKnown) {  // 8
  ReferenceFloorDevice device(FloorSession::work());
  FloorChain precomputed(device, FloorSession::work(), FloorSeed{1});
  int done = 0;
  precomputed.run([&] { return ++done < 4; });
  const FloorChallenge challenge = floor_challenge_from(session_.ask().body);
  session_.pass_s(FloorSession::seconds_for(1.5, 4));
  expect_wrong(session_.show(challenge, precomputed), "not the product of these matrices");
}

TEST_F(ForgeryTest, AnotherChallengesOpenings) {  // 9
  ReferenceFloorDevice device(FloorSession::work());
  const FloorChallenge first = floor_challenge_from(session_.ask().body);
  FloorChain chain(device, FloorSession::work(), first.seed);
  int done = 0;
  chain.run([&] { return ++done < 3; });
  const FloorChallenge second = floor_challenge_from(session_.ask().body);
  expect_wrong(session_.show(second, chain), "not the product of these matrices");
}

TEST_F(ForgeryTest, HalfOfTheWork) {  // 10
  ReferenceFloorDevice device = partial(0.5);
  expect_wrong(session_.play(device, 4, FloorSession::seconds_for(1, 4)), "not the product of these matrices");
}

TEST_F(ForgeryTest, NineTenthsOfTheWork) {  // 11
  // One passes with a probability of 0.9^64 = 0.0012, three in a row with 2e-9.
  int found = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    FloorSession session;
    ReferenceFloorDevice device = partial(0.1);
    if (session.play(device, 4, FloorSession::seconds_for(1, 4)).outcomes[0].state == FloorState::wrong) ++found;
  }
  EXPECT_GT(found, 0);
}

TEST_F(ForgeryTest, NearlyAllOfTheWorkEarnsNothing) {  // 12
  // 99 % passes about every second time; but no more than 95.4 % of what is committed is ever counted.
  ReferenceFloorDevice device = partial(0.01);
  const FloorReport report = session_.play(device, 4, FloorSession::seconds_for(1, 4));
  if (report.outcomes[0].state != FloorState::right) return;
  const double done = 0.99 * 4 * floor_flop(test::kSmallShape) / FloorSession::seconds_for(1, 4) * 1e-12;
  EXPECT_LT(*report.outcomes[0].floor_tflop_per_s, done);
}

TEST_F(ForgeryTest, StepsThatWereNeverDone) {  // 13
  // Commits itself to a hundred steps after four.
  const FloorReport report = [&] {
    ReferenceFloorDevice device(FloorSession::work());
    const FloorChallenge challenge = floor_challenge_from(session_.ask().body);
    FloorChain chain(device, FloorSession::work(), challenge.seed);
    int done = 0;
    chain.run([&] { return ++done < 4; });
    FloorCommitment::OfDevice committed = chain.commitment();
    committed.steps = 100;
    const auto draws = floor_draws_from(session_.commit(session_.agent, challenge.id, {{committed}}).body);
    FloorOpenings openings;
    for (FloorDraw draw : draws) {
      draw.step %= 4;
      openings.push_back(chain.open(draw));
    }
    session_.open(session_.agent, challenge.id, openings);
    return session_.report(challenge.id);
  }();
  expect_wrong(report, "not in the commitment");
}

TEST_F(ForgeryTest, AnotherCommitmentAfterTheDraws) {  // 14
  const FloorChallenge challenge = floor_challenge_from(session_.ask().body);
  ASSERT_EQ(session_.commit(session_.agent, challenge.id, {{{0, 10, Digest{1}}}}).status, Status::done);
  EXPECT_EQ(session_.commit(session_.agent, challenge.id, {{{0, 10, Digest{2}}}}).status, Status::too_late);
  EXPECT_EQ(session_.ask().status, Status::too_late) << "nor another challenge for the same run";
}

TEST_F(ForgeryTest, DrawsAreNotKnownBeforehand) {  // 15
  const FloorChallenge challenge = floor_challenge_from(session_.ask().body);
  const auto draws =
      floor_draws_from(session_.commit(session_.agent, challenge.id, {{{0, 1'000'000, Digest{1}}}}).body);
  FloorSession again;
  const FloorChallenge other = floor_challenge_from(again.ask().body);
  EXPECT_NE(floor_draws_from(again.commit(again.agent, other.id, {{{0, 1'000'000, Digest{1}}}}).body), draws)
      << "the same commitment in another collector, or another time, has others";
}

TEST_F(ForgeryTest, ALibraryThatReturnsAtOnce) {  // 16
  ReferenceFloorDevice device(FloorSession::work(), [](std::uint32_t, std::int64_t) { return true; });
  expect_wrong(session_.play(device, 400, FloorSession::seconds_for(10, 400)), "not the product of these matrices");
}

TEST_F(ForgeryTest, AClockAtHalfSpeed) {  // 17
  // The machine sees eight seconds where sixteen pass: its figures are twice the truth, its floor is the truth.
  ReferenceFloorDevice device(FloorSession::work());
  const FloorReport report = session_.play(device, 4, FloorSession::seconds_for(0.5, 4));
  EXPECT_EQ(report.outcomes[0].state, FloorState::right);
  EXPECT_EQ(session_.trust(), "recomputed");
  const Result result = with_own_figures(test::example_result());
  const auto figures = trust_of_figures(result, session_.proofs.of_run(result.run_id));
  EXPECT_TRUE(std::any_of(figures.begin(), figures.end(), [](const FigureTrust& figure) { return figure.is_suspect; }));
}

TEST_F(ForgeryTest, AFasterMachineRentedLater) {  // 18
  session_.pass_s(3600);
  EXPECT_EQ(session_.ask().status, Status::too_late);
}

TEST_F(ForgeryTest, WorkThatIsEasierThanItLooks) {  // 19
  for (const FloorShape& easy :
       {FloorShape{256, 256, 1'024, 0}, FloorShape{16, 16, 1'024, 15}, FloorShape{256, 256, 16, 15},
        FloorShape{-256, -256, 1'024, 15}, FloorShape{256, 256, 1'024, 1}}) {
    FloorRequest request = FloorSession::request();
    request.work[0].shape = easy;
    EXPECT_EQ(session_.ask(session_.agent, request).status, Status::malformed);
  }
  FloorRequest request = FloorSession::request();
  request.work[0].dtype = DType::int8;  // twice as fast, and no figure of it was sent
  EXPECT_EQ(session_.ask(session_.agent, request).status, Status::malformed);
}

TEST_F(ForgeryTest, OneDeviceThatWorksForTwo) {  // 20
  Result two = test::example_result();
  two.run_id.back() = 'c';
  two.devices.push_back(test::cpu_device(1));
  std::vector<Measurement> of_the_other = two.measurements;
  for (Measurement& measurement : of_the_other) measurement.device = 1;
  two.measurements.insert(two.measurements.end(), of_the_other.begin(), of_the_other.end());
  two.measurements = normalize_all(std::move(two.measurements), two.devices);
  two.summary = summarize(two.devices, two.measurements);
  two.score = score_run(two.devices, two.measurements);
  FloorProof proof;
  proof.outcome.state = FloorState::right;
  proof.outcome.floor_tflop_per_s = 0.6;
  EXPECT_EQ(trust_of_run(two, {proof}), Trust::self_reported) << "the label is of the device that showed least";
  FloorRequest request = FloorSession::request();
  request.work.push_back(request.work[0]);
  EXPECT_EQ(session_.ask(session_.agent, request).status, Status::malformed) << "nor is one shown twice";
}

TEST_F(ForgeryTest, AnIdentityThatIsRelayed) {  // 21: a genuine device's answer, to another question
  test::AttestedSession session;
  const test::AttestingDevice elsewhere(session.maker, "GH100");
  ReferenceFloorDevice device(FloorSession::work());
  const FloorChallenge first = floor_challenge_from(session.ask().body);  // its seed and id are known, and then lost
  const test::AttestedWork work = session.committed(device);
  const std::string committed = to_text(work.commitment);
  const Digest of_another_challenge = attestation_nonce(first.id, first.seed, session.agent.public_key(), committed, 0);
  session.attest(session.agent, work.id(), {test::AttestedSession::said(elsewhere, of_another_challenge)});
  const FloorReport report = session.opened(work);
  EXPECT_EQ(report.trust, "recomputed");
  EXPECT_EQ(report.outcomes.at(0).attestation->reason, "the report answers another question than this challenge's");
}

TEST_F(ForgeryTest, AnIdentityOfAnotherContributorOrOfOtherWork) {  // 22
  for (int kind = 0; kind < 3; ++kind) {
    test::AttestedSession session;
    const test::AttestingDevice elsewhere(session.maker, "GH100");
    ReferenceFloorDevice device(FloorSession::work());
    test::AttestedWork work = session.committed(device);
    test::AttestedWork other = work;
    other.commitment.devices.at(0).steps += kind == 1 ? 1U : 0U;
    const Digest nonce = other.nonce(kind == 0 ? session.other : session.agent, kind == 2 ? 1 : 0);
    session.attest(session.agent, work.id(), {test::AttestedSession::said(elsewhere, nonce)});
    EXPECT_EQ(session.opened(work).trust, "recomputed") << kind;
  }
}

TEST_F(ForgeryTest, OneDeviceThatIsCertifiedAsTwo) {  // 23
  const test::CertifiedKey maker = test::test_maker();
  const test::AttestingDevice one(maker, "GH100"), other(maker, "GH100");
  OpenChallenge challenge;
  challenge.id = "c";
  challenge.key_base64 = base64(session_.agent.public_key());
  challenge.commitment_text = "{}";
  Result result = test::gpu_example_result();
  result.devices.push_back(result.devices.at(0));
  result.devices[1].index = 1;
  const auto states = [&](const test::AttestingDevice& second) {
    std::vector<FloorAttestation> said;
    for (const int device : {0, 1}) {
      const test::AttestingDevice& gpu = device == 0 ? one : second;
      const Digest nonce = attestation_nonce("c", challenge.seed, session_.agent.public_key(), "{}", device);
      said.push_back({device, gpu.report(nonce), gpu.certificates()});
    }
    std::vector<FloorProof> proofs(2);
    proofs[1].outcome.device = 1;
    judge_attestations(examine_attestations(test::trust_in(maker), challenge, said, kNowMs), result, proofs);
    return std::pair(proofs[0].outcome.attestation->state, proofs[1].outcome.attestation->state);
  };
  EXPECT_EQ(states(other), std::pair(AttestationState::verified, AttestationState::verified));
  EXPECT_EQ(states(one), std::pair(AttestationState::refused, AttestationState::refused));
}

TEST_F(ForgeryTest, ADeviceWithoutAFigureBesideAnHonestOne) {  // 24: the score is of both, the proof of one
  Result two = test::example_result();
  const auto claims = floor_claims(two);
  ASSERT_FALSE(claims.empty());
  FloorProof proof;
  proof.outcome.state = FloorState::right;
  proof.outcome.dtype = *dtype_to_verify(two, 0);
  proof.outcome.floor_tflop_per_s =
      2 * std::max_element(claims.begin(), claims.end(), [](const auto& a, const auto& b) {
            return a.tflop_per_s < b.tflop_per_s;
          })->tflop_per_s;
  ASSERT_EQ(trust_of_run(two, {proof}), Trust::floor_verified) << "as long as there is one";
  Device typed_in = test::gpu_example_result().devices.at(0);
  typed_in.index = 1;
  two.devices.push_back(std::move(typed_in));
  EXPECT_EQ(trust_of_run(two, {proof}), Trust::self_reported);
}

TEST_F(ForgeryTest, AnHonestDeviceIsVerified) {  // so that the ones above do not fail for another reason
  ReferenceFloorDevice device(FloorSession::work());
  EXPECT_EQ(session_.play(device, 4, FloorSession::seconds_for(0.9, 4)).trust, "floor_verified");
}

}  // namespace
}  // namespace gpuassay
