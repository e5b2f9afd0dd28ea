// Proofs, vouching, flags and what aggregates make of them, on both engines: their SQL is one text for two dialects.
#include <gtest/gtest.h>

#include "collector/aggregates.h"
#include "collector/collector_database.h"
#include "collector/floor/proof.h"
#include "collector/pool/pool_checks.h"
#include "core/timestamp.h"
#include "tests/support/store_engines.h"

namespace gpuassay {
namespace {

using test::made_up_run;

class TrustStore : public test::StoreOnEachEngine {
 protected:
  /// A run of this GPU that began so long after the first and took a minute.
  void put(int number, const std::string& gpu, std::int64_t after_ms, const std::string& instance, double score = 50) {
    StoredRun run = made_up_run(number);
    run.agent_key = "machine " + gpu;
    run.gpu_model = "Tesla V100";
    run.gpu_count = 1;
    run.score = score;
    run.started_at_ms = kStartMs + after_ms;
    run.trace = {run.started_at_ms + 60'000, instance, {gpu}, {1, 2}};
    ASSERT_FALSE(store_->insert(run));
  }
  std::string codes(int number) {
    std::string text;
    for (const RunFlag& flag : PoolChecks(*pool_).flags_of("run-" + std::to_string(number))) text += flag.code + " ";
    return text;
  }

  static constexpr std::int64_t kStartMs = 1'795'000'000'000;
};

TEST_P(TrustStore, AProofIsCommittedOnceAndDecided) {
  store_->insert(made_up_run(1));
  FloorProofs proofs(*pool_);
  FloorProof proof;
  proof.outcome.device = 3;
  proof.outcome.dtype = DType::bf16;
  proof.outcome.state = FloorState::committed;
  proof.steps = 7;
  proof.draws = 64;
  proof.interval_ns = 8'100'000'000;
  EXPECT_TRUE(proofs.commit("run-1", {proof}));
  EXPECT_FALSE(proofs.commit("run-1", {proof}));
  EXPECT_FALSE(proofs.commit("run-2", {proof})) << "no such run";
  proof.outcome.state = FloorState::right;
  proof.outcome.floor_tflop_per_s = 0.25;
  proofs.decide("run-1", {proof}, "floor_verified");
  const auto kept = proofs.of_run("run-1");
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].outcome.device, 3);
  EXPECT_EQ(kept[0].outcome.state, FloorState::right);
  EXPECT_EQ(kept[0].outcome.floor_tflop_per_s, 0.25);
  EXPECT_EQ(kept[0].interval_ns, 8'100'000'000);
  EXPECT_EQ(store_->columns("run-1")->trust, "floor_verified");
  EXPECT_EQ(kept[0].outcome.attestation, std::nullopt);
  EXPECT_FALSE(kept[0].speed_confirmed);
  ASSERT_TRUE(store_->erase("run-1", 1));
  EXPECT_TRUE(proofs.of_run("run-1").empty());
}

TEST_P(TrustStore, WhatADeviceSaidOfItselfIsKept) {
  store_->insert(made_up_run(1));
  FloorProofs proofs(*pool_);
  std::vector<FloorProof> committed(2);
  committed[1].outcome.device = 1;
  ASSERT_TRUE(proofs.commit("run-1", committed));
  committed[0].outcome.attestation = {AttestationState::verified, "", "GH100"};
  committed[0].evidence_sha256 = std::string(64, 'e');
  committed[0].speed_confirmed = true;
  committed[1].outcome.attestation = {AttestationState::refused, "another question", ""};
  proofs.decide("run-1", committed, "recomputed");
  const auto kept = proofs.of_run("run-1");
  ASSERT_EQ(kept.size(), 2U);
  for (const std::size_t device : {0U, 1U}) {
    EXPECT_EQ(kept[device].outcome.attestation, committed[device].outcome.attestation);
    EXPECT_EQ(kept[device].evidence_sha256, committed[device].evidence_sha256);
    EXPECT_EQ(kept[device].speed_confirmed, committed[device].speed_confirmed);
  }
}

TEST_P(TrustStore, ProofsFromBeforeAttestationKeepWhatTheyShowed) {
  for (int number = 1; number <= 2; ++number) {
    const std::string run_id = "run-" + std::to_string(number);
    store_->insert(made_up_run(number));
    ASSERT_TRUE(FloorProofs(*pool_).commit(run_id, {FloorProof()}));
    FloorProofs(*pool_).decide(run_id, {FloorProof()}, number == 1 ? "floor_verified" : "recomputed");
  }
  {
    const auto database = pool_->take(ConnectionPool::Access::write);
    for (const char* column :
         {"attestation", "attestation_reason", "attested_chip", "evidence_sha256", "speed_confirmed"})
      database->execute("ALTER TABLE floor_proof DROP COLUMN " + std::string(column));
    database->execute("DELETE FROM schema_migration WHERE component = 'run' AND version >= 9");
    migrate_collector(*database);
  }
  EXPECT_TRUE(FloorProofs(*pool_).of_run("run-1").at(0).speed_confirmed);
  EXPECT_FALSE(FloorProofs(*pool_).of_run("run-2").at(0).speed_confirmed);
  EXPECT_EQ(FloorProofs(*pool_).of_run("run-1").at(0).outcome.attestation, std::nullopt);
}

TEST_P(TrustStore, AnAttestedRunIsAWitnessWhenEveryDeviceShowedItsSpeed) {
  FloorProofs proofs(*pool_);
  for (int number = 1; number <= 3; ++number) {
    put(number, std::string(1, static_cast<char>('a' + number)), 0, "i" + std::to_string(number));
    std::vector<FloorProof> committed(2);
    committed[1].outcome.device = 1;
    ASSERT_TRUE(proofs.commit("run-" + std::to_string(number), committed));
  }
  const auto headline = [&](bool first, bool second) {
    for (int number = 1; number <= 3; ++number) {
      std::vector<FloorProof> decided(2);
      decided[1].outcome.device = 1;
      decided[0].speed_confirmed = first;
      decided[1].speed_confirmed = second;
      proofs.decide("run-" + std::to_string(number), decided, "attested");
    }
    const Aggregates aggregates = read_aggregates(*pool_->take(ConnectionPool::Access::read), kStartMs + 3'600'000);
    return aggregates.gpus.at(0).headline.has_value();
  };
  EXPECT_FALSE(headline(false, false)) << "a maker's word for the device is none for its speed";
  EXPECT_FALSE(headline(true, false));
  EXPECT_TRUE(headline(true, true));
}

TEST_P(TrustStore, RunsAreComparedAndFlagged) {
  put(1, "a", 0, "i");
  put(2, "a", 30'000, "j");
  put(3, "b", 0, "k");
  put(4, "c", 0, "i");
  put(5, "c", 86'400'000, "j");
  put(6, "c", 2 * 86'400'000LL, "i");
  PoolChecks checks(*pool_);
  EXPECT_EQ(checks.check_new(100, kStartMs), 6U);
  EXPECT_EQ(checks.check_new(100, kStartMs), 0U);
  for (const int number : {1, 2, 5, 6}) EXPECT_EQ(codes(number), "two_rentals ") << number;
  for (const int number : {3, 4}) EXPECT_EQ(codes(number), "") << number;
  ASSERT_TRUE(store_->erase("run-1", 1));
  EXPECT_EQ(codes(1), "");
}

TEST_P(TrustStore, WhatHasChangedIsFlagged) {
  constexpr std::int64_t kDayMs = 86'400'000;
  for (int number = 0; number < 6; ++number)
    put(number, "a", (number < 3 ? number : 100 + number) * kDayMs, "i", number < 3 ? 50 : 40);
  PoolChecks(*pool_).check_changes(kStartMs + 110 * kDayMs);
  EXPECT_EQ(codes(2), "");
  EXPECT_EQ(codes(5), "drift ");
}

TEST_P(TrustStore, HeadlinesAreOfWitnessesWithoutAFlag) {
  for (int number = 1; number <= 3; ++number) put(number, std::to_string(number), 0, "i", 49 + number);
  const auto headline = [&] {
    const auto database = pool_->take(ConnectionPool::Access::write);
    return read_aggregates(*database, kStartMs).gpus.at(0).headline;
  };
  EXPECT_FALSE(headline());
  for (int number = 1; number <= 3; ++number)
    ASSERT_TRUE(store_->vouch_for_key("machine " + std::to_string(number), true, 1));
  ASSERT_TRUE(headline());
  EXPECT_EQ(headline()->p50, 51);
  put(4, "3", 10'000, "j");
  PoolChecks(*pool_).check_new(100, kStartMs);
  EXPECT_FALSE(headline()) << "two of three are left";
}

INSTANTIATE_TEST_SUITE_P(EachEngine, TrustStore, testing::Values(test::Engine::sqlite, test::Engine::postgres),
                         test::name_of_engine);

}  // namespace
}  // namespace gpuassay
