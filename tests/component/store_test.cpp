// Everything the collector keeps, on both engines.
#include "collector/store.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "core/price_join.h"
#include "core/price_list.h"
#include "core/price_store.h"
#include "core/seed_prices.h"
#include "tests/support/store_engines.h"

namespace gpuassay {
namespace {

using test::made_up_run;

class StoreTest : public test::StoreOnEachEngine {
 protected:
  /// run_ids of all pages, each page in brackets.
  [[nodiscard]] std::string pages(const RunFilter& filter, std::size_t limit) const {
    std::string text;
    std::optional<RunCursor> cursor;
    do {
      const RunPage page = store_->list(filter, limit, cursor);
      text += '[';
      for (const RunColumns& run : page.runs) text += run.run_id.substr(4);
      text += ']';
      cursor = page.next;
    } while (cursor);
    return text;
  }

  [[nodiscard]] std::string exported(const RunFilter& filter) const { return test::exported(*store_, filter); }
};

TEST_P(StoreTest, KeepsEveryColumnAndTheExactBytes) {
  StoredRun run = made_up_run(1);
  run.body = std::string("exact\0bytes\xFF", 12);
  run.trust = "recomputed";
  run.instance_type = "p3.2xlarge";
  run.instance_key = "p32xlarge";
  run.region = "us-east-1";
  run.pricing_model = "spot";
  run.gpu_memory_bytes = 17'179'869'184;
  run.gpu_variant = "SXM2";
  run.vcpus_milli = 8'000;
  run.memory_mib = 62'464;
  run.quarantine_reason = "above the peak";
  run.score = 0.1 + 0.2;
  EXPECT_FALSE(store_->insert(run));
  EXPECT_EQ(store_->body(run.run_id), run.body);
  RunFilter all;
  all.with_quarantined = true;
  const auto read = store_->read(all).next();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->body, run.body);
  EXPECT_EQ(read->body_sha256, run.body_sha256);
  EXPECT_EQ(read->receipt, run.receipt);
  EXPECT_EQ(read->agent_key, run.agent_key);
  EXPECT_EQ(read->received_at_ms, run.received_at_ms);
  EXPECT_EQ(read->started_at_ms, run.started_at_ms);
  EXPECT_FALSE(read->simulated);
  EXPECT_EQ(read->trust, "recomputed");
  EXPECT_EQ(read->quarantine_reason, "above the peak");
  EXPECT_EQ(read->provider, "aws");
  EXPECT_EQ(read->instance_type, "p3.2xlarge");
  EXPECT_EQ(read->instance_key, "p32xlarge");
  EXPECT_EQ(read->region, "us-east-1");
  EXPECT_EQ(read->pricing_model, "spot");
  EXPECT_EQ(read->gpu_model, "Tesla V100");
  EXPECT_EQ(read->gpu_count, 1);
  EXPECT_EQ(read->gpu_memory_bytes, 17'179'869'184);
  EXPECT_EQ(read->gpu_variant, "SXM2");
  EXPECT_EQ(read->vcpus_milli, 8'000);
  EXPECT_EQ(read->memory_mib, 62'464);
  EXPECT_EQ(read->score_version, "1.0");
  EXPECT_EQ(read->score, 0.1 + 0.2);
}

TEST_P(StoreTest, TheFirstRunOfARunIdIsKept) {
  const StoredRun run = made_up_run(1);
  EXPECT_EQ(store_->find(run.run_id), std::nullopt);
  EXPECT_FALSE(store_->insert(run));
  EXPECT_FALSE(store_->insert(run)) << "the same try again: its receipt is the stored one";
  StoredRun again = run;
  again.receipt = "another receipt of the same body";
  const auto known = store_->insert(again);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->receipt, run.receipt);
  EXPECT_EQ(known->body_sha256, run.body_sha256);
  StoredRun other = made_up_run(2);
  other.run_id = run.run_id;
  EXPECT_EQ(store_->insert(other).value().body_sha256, run.body_sha256);
  EXPECT_EQ(store_->body(run.run_id), run.body);
  EXPECT_EQ(store_->find(run.run_id).value().receipt, run.receipt);
  EXPECT_EQ(exported({}), "1");
}

TEST_P(StoreTest, ARaceForOneRunIdHasOneWinner) {
  constexpr int kRounds = 20, kThreads = 4;
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> winners = 0, ready = 0;
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int number = 0; number < kThreads; ++number)
      threads.emplace_back([&, number] {
        StoredRun run = made_up_run(round);
        run.receipt = "receipt of thread " + std::to_string(number);
        ++ready;
        while (ready < kThreads) std::this_thread::yield();
        const auto known = store_->insert(run);
        if (!known) ++winners;
        EXPECT_EQ(known.value_or(KnownRun{run.body_sha256, {}, {}}).body_sha256, run.body_sha256);
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(winners, 1);
  }
  EXPECT_EQ(store_->list({}, 100).runs.size(), std::size_t{kRounds});
}

TEST_P(StoreTest, ManyThreadsWriteAndReadAtOnce) {
  constexpr int kThreads = 8, kRuns = 15;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      for (int number = thread * kRuns; number < (thread + 1) * kRuns; ++number) {
        EXPECT_FALSE(store_->insert(made_up_run(number)));
        EXPECT_EQ(store_->body(made_up_run(number).run_id), made_up_run(number).body);
        EXPECT_FALSE(store_->list({}, 5).runs.empty());
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->list({}, 1'000).runs.size(), std::size_t{kThreads} * kRuns);
}

TEST_P(StoreTest, PagesAreNewestFirstWithoutGapsOrRepeats) {
  for (int number = 1; number <= 5; ++number) store_->insert(made_up_run(number));
  StoredRun same_time = made_up_run(6);
  same_time.received_at_ms = made_up_run(5).received_at_ms;
  store_->insert(same_time);
  EXPECT_EQ(pages({}, 2), "[65][43][21]");
  EXPECT_EQ(pages({}, 4), "[6543][21]");
  EXPECT_EQ(pages({}, 6), "[654321]");
  EXPECT_EQ(pages({}, 100), "[654321]");
  EXPECT_EQ(exported({}), "123456");
  // A run that comes in meanwhile is before the first page, not in the middle of the others.
  const RunPage first = store_->list({}, 2);
  store_->insert(made_up_run(7));
  EXPECT_EQ(store_->list({}, 2, first.next).runs.front().run_id, "run-4");
}

TEST_P(StoreTest, APageLooksAtSoManyRunsOnly) {
  for (int number = 1; number <= 9; ++number) {
    StoredRun run = made_up_run(number);
    if (number == 1 || number == 8) run.region = "rare";
    store_->insert(run);
  }
  RunFilter filter;
  filter.region = "rare";
  std::string found;
  std::optional<RunCursor> cursor;
  int pages = 0;
  do {
    const RunPage page = store_->list(filter, 2, cursor, 4);  // 9876, 5432, 1
    for (const RunColumns& run : page.runs) found += run.run_id.back();
    cursor = page.next;
    ++pages;
  } while (cursor);
  EXPECT_EQ(found, "81");
  EXPECT_EQ(pages, 3);
  filter.gpu_model = made_up_run(1).gpu_model;
  EXPECT_FALSE(store_->list(filter, 1, {}, 100).runs.empty());
}

TEST_P(StoreTest, FiltersByEveryColumn) {
  for (int number = 1; number <= 8; ++number) {
    StoredRun run = made_up_run(number);
    if (number == 2) run.gpu_model = "H100";
    if (number == 3) run.provider = "gcp";
    if (number == 4) run.instance_type = "p3.2xlarge";
    if (number == 5) run.region = "eu'1";
    if (number == 6) run.trust = "recomputed";
    if (number == 7) run.simulated = true;
    if (number == 8) run.quarantine_reason = "above the peak";
    store_->insert(run);
  }
  const auto with = [this](auto change) {
    RunFilter filter;
    change(filter);
    EXPECT_EQ(pages(filter, 3).empty(), false);
    return exported(filter);
  };
  EXPECT_EQ(with([](RunFilter&) {}), "123456");
  EXPECT_EQ(with([](RunFilter& f) { f.gpu_model = "H100"; }), "2");
  EXPECT_EQ(with([](RunFilter& f) { f.provider = "gcp"; }), "3");
  EXPECT_EQ(with([](RunFilter& f) { f.instance_type = "p3.2xlarge"; }), "4");
  EXPECT_EQ(with([](RunFilter& f) { f.region = "eu'1"; }), "5");
  EXPECT_EQ(with([](RunFilter& f) { f.trust = "recomputed"; }), "6");
  EXPECT_EQ(with([](RunFilter& f) { f.with_simulated = true; }), "1234567");
  EXPECT_EQ(with([](RunFilter& f) { f.with_quarantined = true; }), "1234568");
  EXPECT_EQ(with([](RunFilter& f) { f.agent_key = "nobody"; }), "");
  EXPECT_EQ(with([](RunFilter& f) { f.started_from_ms = made_up_run(4).started_at_ms; }), "456");
  EXPECT_EQ(with([](RunFilter& f) { f.started_before_ms = made_up_run(4).started_at_ms; }), "123");
  EXPECT_EQ(with([](RunFilter& f) {
              f.gpu_model = "Tesla V100";
              f.provider = "aws";
              f.started_from_ms = made_up_run(2).started_at_ms;
              f.started_before_ms = made_up_run(6).started_at_ms;
            }),
            "45");
}

TEST_P(StoreTest, AnExportIsOneSnapshotWhileOthersWrite) {
  for (int number = 1; number <= 3; ++number) store_->insert(made_up_run(number));
  RunReader reader = store_->read({});
  store_->insert(made_up_run(4));
  store_->quarantine("run-3", "late");
  EXPECT_EQ(store_->retract("run-2", "key", 1), RetractOutcome::retracted);
  std::string seen;
  while (const auto run = reader.next()) {
    seen += run->run_id.substr(4);
    EXPECT_FALSE(run->body.empty());
  }
  EXPECT_EQ(seen, "123");
  EXPECT_EQ(exported({}), "14");
}

TEST_P(StoreTest, ManyRowsStreamInOrder) {
  {
    const auto database = pool_->take(ConnectionPool::Access::write);
    database->execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO run (run_id, body_sha256, agent_key, received_at_ms, simulated, trust, "
        "started_at_ms, provider, gpu_count, score_version) "
        "SELECT 'run-' || i, '', 'key', i, 0, 'self_reported', i, 'aws', 1, '1' FROM n");
    database->execute(
        "INSERT INTO run_body (run_id, body, receipt) SELECT run_id, CAST('body' AS BLOB), CAST('' AS BLOB) FROM run");
  }
  for (const auto contents : {RunContents::columns, RunContents::whole}) {
    RunReader reader = store_->read({}, contents);
    std::int64_t expected = 1;
    while (const auto run = reader.next()) {
      ASSERT_EQ(run->received_at_ms, expected++);
      ASSERT_EQ(run->body, contents == RunContents::whole ? "body" : "");
    }
    EXPECT_EQ(expected, 20'001);
  }
}

TEST_P(StoreTest, PricesAreStoredListedAndJoinedAlike) {
  StoredRun run = made_up_run(1);
  run.provider = "tencent";
  run.started_at_ms = 1'659'355'200'000;  // 1 August 2022
  run.gpu_memory_bytes = std::int64_t{32510} << 20U;
  store_->insert(run);
  const auto database = pool_->take(ConnectionPool::Access::write);
  PriceStore prices(*database);
  EXPECT_EQ(prices.store(bundled_seed_prices()).inserted, 61U);
  const PriceChanges again = prices.store(bundled_seed_prices());
  EXPECT_EQ(again.inserted, 0U);
  EXPECT_EQ(again.unchanged, 61U);
  EXPECT_GT(prices.store_rates({{17919, "CNY", "0.1475", "test"}}).converted, 0U);
  PriceFilter filter;
  filter.gpu_model = "Tesla V100";
  filter.valid_at_ms = run.started_at_ms;
  const auto listed = list_prices(*database, filter);
  ASSERT_FALSE(listed.empty());
  filter.provider = "tencent";
  EXPECT_LT(list_prices(*database, filter).size(), listed.size());
  Statement join(*database, join_sql());
  ASSERT_TRUE(join.step());
  EXPECT_EQ(join.text(0), "run-1");
  EXPECT_EQ(join.text(1), "provider_gpu");
  EXPECT_EQ(join.integer(11), 1'720'000);
  EXPECT_DOUBLE_EQ(join.real(28), 40.5 / 1.72);
  EXPECT_FALSE(join.step());
  PriceQuestion question;
  question.provider = "oracle";
  question.gpu_model = "Tesla V100";
  question.gpu_count = 8'000'000;
  question.measured_at_ms = run.started_at_ms;
  const auto answers = join_prices(*database, {question, question}, {});
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[1].match_level, "provider_gpu");
  EXPECT_EQ(answers[1].price_instance_hour_usd, 23'600'000);
  Statement own(*database, "SELECT result_id FROM results");
  ASSERT_TRUE(own.step());
  EXPECT_EQ(own.text(0), "run-1") << "the tables of the question are gone again";
}

INSTANTIATE_TEST_SUITE_P(Engines, StoreTest, testing::Values(test::Engine::sqlite, test::Engine::postgres),
                         test::name_of_engine);

}  // namespace
}  // namespace gpuassay
