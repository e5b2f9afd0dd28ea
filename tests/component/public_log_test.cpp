// The public log in the database: order, proofs, checkpoints, deletions, what was there before; on both engines.
#include "collector/public_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "collector/public_log_check.h"
#include "collector/public_log_keeper.h"
#include "core/error.h"
#include "core/receipt.h"
#include "tests/support/store_engines.h"

namespace gpuassay {
namespace {

using test::made_up_run;

class PublicLogTest : public test::StoreOnEachEngine {
 protected:
  void SetUp() override {
    StoreOnEachEngine::SetUp();
    if (!IsSkipped()) log_.emplace(*pool_, collector_, [this] { return now_ms_; });
  }

  void put(int number) { EXPECT_FALSE(store_->insert(made_up_run(number))); }
  static std::string run_id(int number) { return made_up_run(number).run_id; }
  std::int64_t index_of(int number) { return log_->find(run_id(number)).value().leaf_index.value_or(-1); }
  void sql(const std::string& text) { pool_->take(ConnectionPool::Access::write)->execute(text); }
  Checkpoint checkpoint() {
    std::string problem;
    const auto checkpoint = verified_checkpoint(log_->checkpoint(), problem);
    EXPECT_TRUE(checkpoint) << problem;
    return checkpoint.value();
  }
  /// What `verify` says of the log.
  std::string differences() {
    std::string said;
    const auto database = pool_->take(ConnectionPool::Access::read);
    const LogReport report = check_public_log(*database, {collector_.public_key()},
                                              [&said](std::string_view line) { said += std::string(line) + "\n"; });
    EXPECT_EQ(report.differing == 0, said.empty()) << said;
    return said;
  }

  KeyPair collector_ = KeyPair::generate();
  std::int64_t now_ms_ = 1'800'000'000'000;
  std::optional<PublicLog> log_;
};

TEST_P(PublicLogTest, LeavesStandInTheOrderOfReceiving) {
  for (const int number : {3, 1, 2}) put(number);
  EXPECT_EQ(log_->size(), 0U);
  EXPECT_EQ(index_of(1), -1) << "not yet";
  EXPECT_EQ(log_->append_waiting(), 3U);
  put(0);
  EXPECT_EQ(log_->append_waiting(), 1U);
  EXPECT_EQ(log_->append_waiting(), 0U);
  for (const auto& [number, index] : {std::pair(1, 0), std::pair(2, 1), std::pair(3, 2), std::pair(0, 3)})
    EXPECT_EQ(index_of(number), index) << number;
  EXPECT_EQ(log_->size(), 4U);
  EXPECT_FALSE(log_->find("run-9"));
  EXPECT_EQ(differences(), "");
}

TEST_P(PublicLogTest, AnUploadThatComesAgainHasOneLeaf) {
  put(1);
  EXPECT_FALSE(store_->insert(made_up_run(1))) << "its first answer was lost";
  StoredRun other = made_up_run(1);
  other.receipt = "another receipt";
  EXPECT_TRUE(store_->insert(other));
  EXPECT_EQ(log_->append_waiting(), 1U);
  const auto entry = log_->find(run_id(1));
  EXPECT_EQ(entry->leaf_hash, log_leaf_hash(entry->salt.value(), made_up_run(1).receipt));
}

TEST_P(PublicLogTest, EveryProofHolds) {
  constexpr int kRuns = 21;
  for (int number = 0; number < kRuns; ++number) {
    put(number);
    if (number % 4 == 0) log_->append_waiting();  // in pieces of several sizes
  }
  log_->append_waiting();
  const auto leaves = log_->leaves(0, 1000);
  ASSERT_EQ(leaves.size(), std::size_t{kRuns});
  EXPECT_EQ(log_->leaves(19, 1), std::vector{leaves[19]});
  EXPECT_TRUE(log_->leaves(kRuns, 5).empty());
  for (std::uint64_t size = 1; size <= kRuns; ++size) {
    const Digest root = merkle_root(std::span(leaves).first(size));
    for (std::uint64_t index = 0; index < size; ++index)
      EXPECT_TRUE(merkle_is_included(leaves[index], index, size, log_->inclusion_path(index, size), root));
    for (std::uint64_t from = 0; from <= size; ++from)
      EXPECT_TRUE(merkle_is_consistent(from, merkle_root(std::span(leaves).first(from)), size, root,
                                       log_->consistency_proof(from, size)));
  }
}

TEST_P(PublicLogTest, CheckpointsAreMadeWhenThereIsSomethingNewAndEveryHour) {
  EXPECT_EQ(checkpoint().tree_size, 0U);
  EXPECT_EQ(checkpoint().collector_key, collector_.public_key());
  put(1);
  log_->append_waiting();
  EXPECT_EQ(checkpoint().tree_size, 0U) << "not twice in a second";
  now_ms_ += 1'000;
  const Checkpoint first = checkpoint();
  EXPECT_EQ(first.tree_size, 1U);
  EXPECT_EQ(first.root_hash, log_->find(run_id(1))->leaf_hash);
  now_ms_ += 3'599'999;
  EXPECT_EQ(checkpoint().made_at, first.made_at);
  log_->keep_hourly();
  EXPECT_EQ(log_->checkpoints(0, 10).checkpoints.size(), 2U);
  now_ms_ += 1;
  log_->keep_hourly();
  EXPECT_EQ(log_->checkpoints(0, 10).checkpoints.size(), 3U);
  EXPECT_NE(checkpoint().made_at, first.made_at);
  EXPECT_EQ(checkpoint().root_hash, first.root_hash);
  now_ms_ -= 86'400'000;
  EXPECT_EQ(log_->checkpoints(0, 10).checkpoints.size(), 3U);
  put(2);
  log_->append_waiting();
  EXPECT_EQ(checkpoint().tree_size, 2U) << "a clock that was set back does not end the log";

  const CheckpointPage page = log_->checkpoints(0, 3);
  EXPECT_EQ(page.checkpoints.size(), 3U);
  const CheckpointPage rest = log_->checkpoints(page.next, 3);
  ASSERT_EQ(rest.checkpoints.size(), 1U);
  EXPECT_EQ(rest.checkpoints[0], log_->checkpoint()) << "byte for byte";
  const CheckpointPage none = log_->checkpoints(rest.next, 3);
  EXPECT_TRUE(none.checkpoints.empty());
  EXPECT_EQ(none.next, rest.next);
  EXPECT_EQ(differences(), "");
}

TEST_P(PublicLogTest, ADeletionForgetsTheSaltAndMovesNothing) {
  constexpr std::int64_t kLater = 1'900'000'000'000;
  for (int number = 0; number < 6; ++number) {
    StoredRun run = made_up_run(number);
    run.simulated = number == 4;
    EXPECT_FALSE(store_->insert(run));
    if (number == 4) log_->append_waiting();
  }
  now_ms_ += 1'000;
  const Checkpoint before = checkpoint();
  const auto leaf = log_->find(run_id(1))->leaf_hash;
  EXPECT_EQ(store_->retract(run_id(1), "key", kLater), RetractOutcome::retracted);
  EXPECT_TRUE(store_->erase(run_id(2), kLater));
  EXPECT_EQ(store_->expire(Excluded::simulated, kLater, 10, kLater), 1U);
  EXPECT_TRUE(store_->erase(run_id(5), kLater)) << "before it was in the tree";
  for (const int gone : {1, 2, 4, 5}) EXPECT_FALSE(log_->find(run_id(gone))->salt) << gone;
  for (const int kept : {0, 3}) EXPECT_TRUE(log_->find(run_id(kept))->salt) << kept;
  EXPECT_EQ(log_->append_waiting(), 1U) << "it was acknowledged";
  EXPECT_EQ(index_of(5), 5);
  EXPECT_EQ(log_->find(run_id(1))->leaf_hash, leaf);
  now_ms_ += 1'000;
  const Checkpoint after = checkpoint();
  EXPECT_TRUE(merkle_is_consistent(before.tree_size, before.root_hash, after.tree_size, after.root_hash,
                                   log_->consistency_proof(before.tree_size, after.tree_size)));
  const auto other = log_->find(run_id(3));
  EXPECT_TRUE(merkle_is_included(log_leaf_hash(*other->salt, made_up_run(3).receipt), 3, 6, log_->inclusion_path(3, 6),
                                 after.root_hash));
  EXPECT_EQ(differences(), "");
}

TEST_P(PublicLogTest, RunsWithoutAPlaceGetOneInTheOrderOfReceiving) {
  constexpr int kRuns = 450;  // more than are taken at once
  for (int number = 0; number < kRuns; ++number) put(kRuns - number);
  EXPECT_TRUE(store_->erase(run_id(7), 5));
  sql("DELETE FROM log_entry");  // as they are when a former version took them in
  RunCursor after;
  std::size_t adopted = 0;
  while (const std::size_t more = log_->adopt(after)) {
    adopted += more;
    append_all_waiting(*log_);
  }
  EXPECT_EQ(adopted, std::size_t{kRuns - 1});
  EXPECT_EQ(index_of(1), 0);
  EXPECT_EQ(index_of(8), 6);
  EXPECT_EQ(index_of(kRuns), kRuns - 2);
  EXPECT_FALSE(log_->find(run_id(7))) << "nothing of it is left that a leaf could be made of";
  RunCursor again;
  EXPECT_EQ(log_->adopt(again), 0U);
  EXPECT_EQ(differences(), "");
}

TEST_P(PublicLogTest, SaltsThatAFormerVersionLeftAreForgotten) {
  put(1);
  put(2);
  sql("UPDATE run SET retracted_at_ms = 5 WHERE run_id = 'run-1'");
  log_->forget_retracted();
  EXPECT_FALSE(log_->find(run_id(1))->salt);
  EXPECT_TRUE(log_->find(run_id(2))->salt);
}

TEST_P(PublicLogTest, CollectorsThatShareADatabaseGiveEveryIndexOnce) {
  constexpr int kRuns = 300;
  const auto other_pool = open();
  PublicLog other(*other_pool, collector_, [] { return std::int64_t{1'800'000'000'000}; });
  std::thread storing([this] {
    for (int number = 0; number < kRuns; ++number) put(number);
  });
  std::thread appending([&other] {
    while (other.size() < kRuns) {
      try {
        other.append_waiting();
      } catch (const Error&) {  // it waited for the other one for too long
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
  });
  while (log_->size() < kRuns) {
    try {
      log_->append_waiting();
    } catch (const Error&) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  storing.join();
  appending.join();
  std::set<std::int64_t> indices;
  for (int number = 0; number < kRuns; ++number) indices.insert(index_of(number));
  EXPECT_EQ(indices.size(), std::size_t{kRuns});
  EXPECT_EQ(*indices.rbegin(), kRuns - 1);
  EXPECT_EQ(differences(), "");
}

TEST_P(PublicLogTest, TheKeeperFollowsAndLeavesNothingBehind) {
  std::string problems;
  {
    PublicLogKeeper keeper(*log_, [&problems](std::string_view problem) { problems += problem; });
    for (int number = 0; number < 5; ++number) {
      put(number);
      keeper.note_change();
    }
  }
  EXPECT_EQ(log_->size(), 5U);
  EXPECT_GE(log_->checkpoints(0, 10).checkpoints.size(), 1U);
  EXPECT_EQ(problems, "");
}

TEST_P(PublicLogTest, AFailureIsSaidAndTheNewestCheckpointStillGiven) {
  const std::string text = log_->checkpoint();
  put(1);
  log_->append_waiting();
  now_ms_ += 3'600'000;
  sql("ALTER TABLE log_node RENAME TO away");
  std::string problems;
  {
    PublicLogKeeper keeper(*log_, [&problems](std::string_view problem) { problems += problem; });
  }
  EXPECT_NE(problems.find("the public log could not be continued"), std::string::npos) << problems;
  EXPECT_EQ(log_->checkpoint(), text);
  sql("ALTER TABLE away RENAME TO log_node");
  EXPECT_NE(log_->checkpoint(), text);
}

TEST_P(PublicLogTest, WhatWasChangedIsFound) {
  for (int number = 0; number < 5; ++number) put(number);
  log_->append_waiting();
  (void)log_->checkpoint();
  EXPECT_EQ(differences(), "");
  sql("UPDATE log_entry SET leaf_hash = (SELECT leaf_hash FROM log_entry WHERE leaf_index = 1) WHERE leaf_index = 0");
  EXPECT_EQ(differences(), "log: leaf 0 is not that of run run-0\n");
  sql("UPDATE log_node SET hash = (SELECT hash FROM log_node WHERE level = 0 AND node_index = 1) "
      "WHERE level = 0 AND node_index = 0");
  EXPECT_EQ(differences(),
            "log: node 0 of level 1 does not follow from its leaves\n"
            "log: node 0 of level 2 does not follow from its leaves\n"
            "log: checkpoint 1 has another root than the first 5 leaves: history was rewritten\n");
  collector_ = KeyPair::generate();
  EXPECT_NE(differences().find("checkpoint 1 is signed by a key that is not this collector's"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Engines, PublicLogTest, testing::Values(test::Engine::sqlite, test::Engine::postgres),
                         test::name_of_engine);

}  // namespace
}  // namespace gpuassay
