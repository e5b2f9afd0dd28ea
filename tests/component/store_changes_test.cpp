// What may happen to runs and keys after they were taken in, on both engines.
#include <gtest/gtest.h>

#include "collector/retention.h"
#include "collector/store.h"
#include "tests/support/store_engines.h"

namespace gpuassay {
namespace {

using test::made_up_run;

class StoreChanges : public test::StoreOnEachEngine {};

TEST_P(StoreChanges, QuarantineIsUndone) {
  store_->insert(made_up_run(1));
  EXPECT_TRUE(store_->quarantine("run-1", "above the peak"));
  EXPECT_EQ(test::exported(*store_, {}), "");
  EXPECT_TRUE(store_->body("run-1")) << "kept and shown";
  EXPECT_TRUE(store_->quarantine("run-1", std::nullopt));
  EXPECT_EQ(test::exported(*store_, {}), "1");
  EXPECT_FALSE(store_->quarantine("run-2", "no such run"));
}

TEST_P(StoreChanges, RetractionErasesAllButTheRunId) {
  StoredRun run = made_up_run(1);
  run.body = "a secret that has to go";
  store_->insert(run);
  store_->insert(made_up_run(2));
  EXPECT_EQ(store_->retract("run-1", "thief", 5), RetractOutcome::other_key);
  EXPECT_EQ(store_->retract("run-9", "key", 5), RetractOutcome::unknown);
  EXPECT_TRUE(store_->body("run-1"));
  EXPECT_EQ(store_->retract("run-1", "key", 5), RetractOutcome::retracted);
  EXPECT_EQ(store_->retract("run-1", "key", 6), RetractOutcome::retracted) << "as when the first answer was lost";
  EXPECT_EQ(store_->body("run-1"), std::nullopt);
  const auto known = store_->find("run-1");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->retracted_at_ms, 5);
  EXPECT_EQ(known->body_sha256 + known->receipt, "");
  EXPECT_EQ(store_->insert(run).value().retracted_at_ms, 5) << "it does not come again";
  RunFilter everything;
  everything.with_quarantined = everything.with_simulated = true;
  EXPECT_EQ(test::exported(*store_, everything), "2");
  EXPECT_FALSE(store_->quarantine("run-1", "late"));
  store_->retract("run-2", "key", 4);
  const auto first = store_->retractions(1);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].run_id, "run-2");
  const auto rest = store_->retractions(10, first[0]);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].run_id, "run-1");
  EXPECT_EQ(rest[0].retracted_at_ms, 5);
}

TEST_P(StoreChanges, WhatCountsNowhereIsKeptAsLongAsTheOperatorSays) {
  constexpr std::int64_t kDay = 86'400'000;
  const std::int64_t now_ms = made_up_run(0).received_at_ms + 100 * kDay;
  const auto put = [&](int number, bool simulated, bool quarantined, std::int64_t age_days) {
    StoredRun run = made_up_run(number);
    run.simulated = simulated;
    if (quarantined) run.quarantine_reason = "above_peak";
    run.received_at_ms = now_ms - age_days * kDay;
    store_->insert(run);
  };
  put(1, true, false, 30);
  put(2, true, false, 1);
  put(3, false, true, 30);
  put(4, false, true, 8);
  put(5, false, false, 90);
  EXPECT_EQ(apply_retention(*store_, {}, now_ms), 0U);
  EXPECT_EQ(apply_retention(*store_, {7, std::nullopt}, now_ms), 1U);
  EXPECT_EQ(apply_retention(*store_, {7, 10}, now_ms), 1U);
  EXPECT_EQ(apply_retention(*store_, {7, 10}, now_ms), 0U);
  for (const int kept : {2, 4, 5}) EXPECT_TRUE(store_->body("run-" + std::to_string(kept))) << kept;
  for (const int gone : {1, 3}) {
    EXPECT_FALSE(store_->body("run-" + std::to_string(gone))) << gone;
    EXPECT_EQ(store_->find("run-" + std::to_string(gone))->retracted_at_ms, now_ms) << "it does not come again";
  }
  EXPECT_EQ(store_->retractions(10).size(), 2U);
  put(6, true, false, 30);
  put(7, true, false, 31);
  EXPECT_EQ(store_->expire(Excluded::simulated, now_ms, 1, now_ms), 1U);
  EXPECT_FALSE(store_->body("run-7")) << "the oldest first";
}

TEST_P(StoreChanges, KeysAreKnownFromTheirFirstRun) {
  EXPECT_FALSE(store_->key("key"));
  EXPECT_FALSE(store_->revoke_key("key", 1));
  store_->insert(made_up_run(1));
  store_->insert(made_up_run(2));
  const auto fresh = store_->key("key");
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->first_seen_ms, made_up_run(1).received_at_ms);
  EXPECT_EQ(fresh->revoked_at_ms, std::nullopt);
  EXPECT_EQ(fresh->machine_key, "key");
  EXPECT_TRUE(store_->revoke_key("key", 10));
  EXPECT_TRUE(store_->revoke_key("key", 20));
  EXPECT_EQ(store_->replace_key("key", "newest", 30), KeyChange::revoked);
  const auto gone = store_->key("key");
  EXPECT_EQ(gone->revoked_at_ms, 10) << "the first time counts";
  EXPECT_EQ(gone->replaced_by, std::nullopt);
}

TEST_P(StoreChanges, AMachineKeepsItsRunsThroughAllItsKeys) {
  EXPECT_EQ(store_->replace_key("key", "second", 1), KeyChange::unknown);
  store_->insert(made_up_run(1));
  EXPECT_EQ(store_->replace_key("key", "second", 10), KeyChange::done);
  EXPECT_EQ(store_->replace_key("key", "second", 20), KeyChange::done) << "the answer was lost";
  EXPECT_EQ(store_->replace_key("key", "other", 20), KeyChange::revoked);
  EXPECT_EQ(store_->key("key")->revoked_at_ms, 10);
  StoredRun later = made_up_run(2);
  later.agent_key = "second";
  store_->insert(later);
  EXPECT_EQ(store_->replace_key("second", "third", 30), KeyChange::done);
  EXPECT_EQ(store_->key("third")->machine_key, "key");

  StoredRun strange = made_up_run(3);
  strange.agent_key = "stranger";
  store_->insert(strange);
  EXPECT_EQ(store_->replace_key("third", "stranger", 40), KeyChange::taken);
  EXPECT_EQ(store_->key("third")->revoked_at_ms, std::nullopt) << "all of it or nothing";
  EXPECT_EQ(store_->retract("run-1", "key", 50), RetractOutcome::other_key) << "it is not trusted any more";
  EXPECT_EQ(store_->retract("run-1", "stranger", 50), RetractOutcome::other_key);
  EXPECT_EQ(store_->retract("run-1", "third", 50), RetractOutcome::retracted);
  EXPECT_EQ(store_->retract("run-2", "third", 50), RetractOutcome::retracted);
  EXPECT_EQ(store_->retract("run-3", "third", 50), RetractOutcome::other_key);
}

INSTANTIATE_TEST_SUITE_P(Engines, StoreChanges, testing::Values(test::Engine::sqlite, test::Engine::postgres),
                         test::name_of_engine);

}  // namespace
}  // namespace gpuassay
