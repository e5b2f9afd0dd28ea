// Stored runs get what this program makes of their bodies, and nothing else changes; on both engines.
#include "collector/reassess.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <thread>

#include "collector/ingest.h"
#include "collector/verify.h"
#include "core/result_json.h"
#include "core/score.h"
#include "core/timestamp.h"
#include "tests/support/example_result.h"
#include "tests/support/store_engines.h"

namespace gpuassay {
namespace {

constexpr const char* kFromBefore =
    "UPDATE run SET score_version = '0.1', score = 1, gpu_count = 7, provider = 'nobody', region = NULL, "
    "quarantine_reason = 'score_differs: of an older program'";

class Reassess : public test::StoreOnEachEngine {
 protected:
  /// An upload as a collector takes it. Its run_id.
  std::string put(int number, const std::function<void(Result&)>& change = [](Result&) {}) {
    Result result = test::example_result();
    result.run_id = fmt::format("019a3b5c-8e00-7a11-8b22-{:012}", number);
    change(result);
    const std::string body = canonical_json(result);
    Ingest ingest(*store_, collector_, {}, [&] { return parse_rfc3339_ms(result.started_at) + 1'000; });
    const auto outcome =
        ingest.accept({body, base64(agent_.public_key()), base64(agent_.sign(result_signing_message(body)))});
    EXPECT_EQ(outcome.status, IngestStatus::created) << outcome.detail;
    return result.run_id;
  }
  /// A run that cannot be: it lasted for years.
  std::string put_impossible(int number) {
    return put(number, [](Result& result) { result.duration_s = 1e9; });
  }

  void sql(const std::string& text) { pool_->take(ConnectionPool::Access::write)->execute(text); }

  ReassessReport reassess(std::size_t at_once = kReassessedAtOnce) {
    said_.clear();
    return reassess_store(
        *pool_, [this](std::string_view line) { said_ += std::string(line) + "\n"; }, [](const ReassessReport&) {},
        at_once);
  }

  /// Everything that is stored, as one text.
  std::string all() {
    std::string text;
    const auto database = pool_->take(ConnectionPool::Access::read);
    const auto add_rows = [&](const char* query_text, int columns) {
      Statement query(*database, query_text);
      while (query.step()) {
        for (int column = 0; column < columns; ++column)
          text += query.is_null(column) ? "null," : query.text(column) + ",";
        text += '\n';
      }
    };
    add_rows("SELECT run_id, body_sha256, agent_key, received_at_ms, trust, retracted_at_ms FROM run ORDER BY run_id",
             6);
    add_rows("SELECT run_id, body, receipt, signature FROM run_body ORDER BY run_id", 4);
    add_rows("SELECT agent_key, first_seen_ms, revoked_at_ms, replaced_by, machine_key FROM signing_key", 5);
    add_rows(
        "SELECT run_id, simulated, quarantine_reason, started_at_ms, provider, instance_type, region, pricing_model, "
        "gpu_model, gpu_count, gpu_memory_bytes, instance_key, gpu_variant, vcpus_milli, memory_mib, score_version, "
        "CAST(score AS TEXT) FROM run ORDER BY run_id",
        17);
    return text;
  }

  VerifyReport verify() {
    said_.clear();
    return verify_store(*pool_, {collector_.public_key()},
                        [this](std::string_view line) { said_ += std::string(line) + "\n"; });
  }

  KeyPair agent_ = KeyPair::generate(), collector_ = KeyPair::generate();
  std::string said_;
};

TEST_P(Reassess, WhatAnOlderProgramWroteBecomesWhatThisOneWrites) {
  for (int number = 0; number < 5; ++number) put(number);
  const std::string before = all();
  sql(kFromBefore);
  ASSERT_NE(all(), before);
  const ReassessReport report = reassess(2);
  EXPECT_EQ(report.runs, 5U);
  EXPECT_EQ(report.changed, 5U);
  EXPECT_EQ(report.released, 5U);
  EXPECT_EQ(report.quarantined, 0U);
  EXPECT_EQ(report.left, 0U);
  EXPECT_EQ(all(), before);
  const ReassessReport again = reassess(2);
  EXPECT_EQ(again.runs, 5U);
  EXPECT_EQ(again.changed, 0U);
  EXPECT_EQ(all(), before);
}

TEST_P(Reassess, WhatCannotBeIsQuarantined) {
  const std::string run_id = put_impossible(1);
  put(2);
  const std::string before = all();
  sql("UPDATE run SET quarantine_reason = NULL");
  const ReassessReport report = reassess();
  EXPECT_EQ(report.changed, 1U);
  EXPECT_EQ(report.quarantined, 1U);
  EXPECT_EQ(all(), before);
  EXPECT_EQ(store_->find(run_id)->quarantine_reason.value().substr(0, 13), "time_differs:");
}

TEST_P(Reassess, AnOperatorsQuarantineStays) {
  const std::string plausible = put(1), impossible = put_impossible(2);
  sql(kFromBefore);
  store_->quarantine(plausible, "misuse: its key was sold");
  store_->quarantine(impossible, "by hand");
  const ReassessReport report = reassess();
  EXPECT_EQ(report.changed, 2U);
  EXPECT_EQ(report.quarantined + report.released, 0U);
  EXPECT_EQ(store_->find(plausible)->quarantine_reason, "misuse: its key was sold");
  EXPECT_EQ(store_->find(impossible)->quarantine_reason, "by hand");
  EXPECT_EQ(store_->columns(plausible)->score_version, kScoreVersion) << "its score is renewed all the same";
  EXPECT_EQ(verify().differing, 0U) << said_;
}

TEST_P(Reassess, KeysAndRetractedRunsStayAsTheyAre) {
  const std::string gone = put(1);
  put(2);
  const std::string key = base64(agent_.public_key());
  ASSERT_EQ(store_->retract(gone, key, 5), RetractOutcome::retracted);
  ASSERT_TRUE(store_->revoke_key(key, 6));
  const std::string before = all();
  sql(std::string(kFromBefore) + " WHERE retracted_at_ms IS NULL");
  EXPECT_EQ(reassess().runs, 1U);
  EXPECT_EQ(all(), before);
  EXPECT_EQ(store_->key(key)->revoked_at_ms, 6);
}

TEST_P(Reassess, WhatCannotBeReadIsNamedAndLeft) {
  const std::string other = put(1), missing = put(2), unreadable = put(3), exchanged = put(4), good = put(5);
  sql(kFromBefore);
  sql(fmt::format("DELETE FROM run_body WHERE run_id = '{}'", missing));
  {
    const auto database = pool_->take(ConnectionPool::Access::write);
    const auto put_body = [&](const std::string& run_id, const std::string& body, const std::string& sha256) {
      Statement(*database, "UPDATE run_body SET body = ? WHERE run_id = ?").bind_blob(1, body).bind(2, run_id).run();
      Statement(*database, "UPDATE run SET body_sha256 = ? WHERE run_id = ?").bind(1, sha256).bind(2, run_id).run();
    };
    put_body(unreadable, "{}", sha256_hex("{}"));
    put_body(exchanged, *store_->body(other), sha256_hex(*store_->body(other)));
    put_body(other, *store_->body(good), "of another body");
  }
  const ReassessReport report = reassess(2);
  EXPECT_EQ(report.runs, 5U);
  EXPECT_EQ(report.changed, 1U);
  EXPECT_EQ(report.left, 4U);
  EXPECT_NE(said_.find(missing + ": left as it is: its body is missing\n"), std::string::npos) << said_;
  EXPECT_NE(said_.find(unreadable + ": left as it is: "), std::string::npos) << said_;
  EXPECT_NE(said_.find(exchanged + ": left as it is: the body is of the run " + other), std::string::npos) << said_;
  EXPECT_NE(said_.find(other + ": left as it is: the body is not the one of its hash\n"), std::string::npos) << said_;
  for (const std::string& run_id : {other, missing, unreadable, exchanged})
    EXPECT_EQ(store_->columns(run_id)->provider, "nobody") << run_id;
  EXPECT_EQ(store_->columns(good)->score_version, kScoreVersion);
}

TEST_P(Reassess, EachBatchIsWhollyWrittenWhenTheNextOneEndsIt) {
  for (int number = 0; number < 5; ++number) put(number);
  const std::string before = all();
  sql(kFromBefore);
  const auto killed = [](const ReassessReport& so_far) {
    if (so_far.runs >= 4) throw Error(ErrorCode::internal, "killed");
  };
  EXPECT_THROW((void)reassess_store(*pool_, [](std::string_view) {}, killed, 2), Error);
  RunFilter old;
  old.provider = "nobody";
  old.with_quarantined = true;
  EXPECT_EQ(store_->list(old, 10).runs.size(), 1U);
  EXPECT_EQ(reassess(2).changed, 1U);
  EXPECT_EQ(all(), before);
}

TEST_P(Reassess, WhatAnOperatorDoesMeanwhileIsNotUndone) {
  constexpr int kRuns = 60;
  std::vector<std::string> run_ids;
  run_ids.reserve(kRuns);
  for (int number = 0; number < kRuns; ++number) run_ids.push_back(put(number));
  sql(kFromBefore);
  std::thread operator_thread([&] {
    for (int number = 0; number < kRuns; ++number) {
      if (number % 3 == 0) store_->erase(run_ids.at(static_cast<std::size_t>(number)), 5);
      if (number % 3 == 1) store_->quarantine(run_ids.at(static_cast<std::size_t>(number)), "by hand");
    }
  });
  const ReassessReport report = reassess(kRuns / 4);
  operator_thread.join();
  EXPECT_LE(report.runs, std::size_t{kRuns});
  for (int number = 0; number < kRuns; ++number) {
    const std::string& run_id = run_ids.at(static_cast<std::size_t>(number));
    const auto known = store_->find(run_id);
    ASSERT_TRUE(known);
    EXPECT_EQ(known->retracted_at_ms.has_value(), number % 3 == 0) << number;
    EXPECT_EQ(known->quarantine_reason.value_or(""), number % 3 == 1 ? "by hand" : "") << number;
    const auto columns = store_->columns(run_id);
    EXPECT_EQ(columns ? columns->score_version : std::string(kScoreVersion), kScoreVersion) << number;
  }
  EXPECT_EQ(verify().differing, 0U) << said_;
}

TEST_P(Reassess, VerifyTellsAnOlderScoreFromAChangedOne) {
  const std::string older = put(1), changed = put(2);
  put(3);
  sql(
      fmt::format("UPDATE run SET score_version = '0.1', score = 1, quarantine_reason = 'above_peak: of its time' "
                  "WHERE run_id = '{}'",
                  older));
  const VerifyReport upgraded = verify();
  EXPECT_EQ(upgraded.of_another_version, 1U);
  EXPECT_EQ(upgraded.differing, 0U) << said_;
  EXPECT_NE(describe(upgraded).find("1 have a score of another version than"), std::string::npos);
  EXPECT_NE(describe(upgraded).find("`gpuassay-collector reassess`"), std::string::npos);
  sql(fmt::format("UPDATE run SET score = 1 WHERE run_id = '{}'", changed));
  sql(fmt::format("UPDATE run SET gpu_count = 8 WHERE run_id = '{}'", older));
  const VerifyReport differing = verify();
  EXPECT_EQ(differing.of_another_version, 1U);
  EXPECT_EQ(differing.differing, 2U) << said_;
  EXPECT_EQ(reassess().changed, 2U);
  const VerifyReport after = verify();
  EXPECT_EQ(after.of_another_version + after.differing, 0U) << said_;
  EXPECT_EQ(
      describe(after),
      "3 runs checked, 0 retracted, 0 without a stored signature; public log: 0 leaves, 0 checkpoints, 3 runs wait for "
      "their leaf; all as they must be\n");
}

INSTANTIATE_TEST_SUITE_P(Engines, Reassess, testing::Values(test::Engine::sqlite, test::Engine::postgres),
                         test::name_of_engine);

}  // namespace
}  // namespace gpuassay
