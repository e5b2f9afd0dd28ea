#include "collector/ingest.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "collector/routes.h"
#include "core/error.h"
#include "core/price_question.h"
#include "core/receipt.h"
#include "core/result_json.h"
#include "tests/support/example_result.h"
#include "tests/support/floor_parts.h"
#include "tests/support/gpu_result.h"
#include "tests/support/memory_pool.h"

namespace gpuassay {
namespace {

class IngestTest : public testing::Test {
 protected:
  IngestOutcome accept(const std::string& body) { return accept_signed(body, body); }
  IngestOutcome accept_signed(const std::string& body, const std::string& signed_body) {
    return ingest_.accept(
        {body, base64(agent_.public_key()), base64(agent_.sign(result_signing_message(signed_body)))});
  }
  std::int64_t stored() {
    const auto database = pool_->take(ConnectionPool::Access::read);
    Statement query(*database, "SELECT COUNT(*) FROM run");
    query.step();
    return query.integer(0);
  }

  std::unique_ptr<ConnectionPool> pool_ = test::memory_pool();
  RunStore store_{*pool_};
  KeyPair agent_ = KeyPair::generate(), collector_ = KeyPair::generate();
  std::int64_t now_ms_ = 1'700'000'000'000;
  Ingest ingest_{store_, collector_, {}, [this] { return now_ms_++; }};
  std::string body_ = canonical_json(test::example_result());
};

TEST_F(IngestTest, StoresAndReturnsAVerifiableReceipt) {
  const auto outcome = accept(body_);
  ASSERT_EQ(outcome.status, IngestStatus::created) << outcome.detail;
  std::string problem;
  const auto receipt = verified_receipt(outcome.receipt, test::example_result().run_id, body_, problem);
  ASSERT_TRUE(receipt) << problem;
  EXPECT_EQ(receipt->collector_key, collector_.public_key());
  EXPECT_EQ(receipt->received_at, "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(store_.body(outcome.run_id), body_);
}

TEST_F(IngestTest, ReplayGivesTheSameBytesAndOneRow) {
  const auto first = accept(body_);
  const auto second = accept(body_);
  EXPECT_EQ(second.status, IngestStatus::replayed);
  EXPECT_EQ(second.receipt, first.receipt);
  EXPECT_EQ(stored(), 1);
}

TEST_F(IngestTest, AReplayIsToldAboutTheQuarantineToo) {
  Result old = test::example_result();
  old.started_at = "2015-01-01T00:00:00.000Z";
  const std::string body = canonical_json(old);
  const auto first = accept(body);
  EXPECT_NE(first.detail.find("clock_differs"), std::string::npos);
  const auto second = accept(body);
  EXPECT_EQ(second.status, IngestStatus::replayed);
  EXPECT_EQ(second.detail, first.detail);
}

TEST_F(IngestTest, AnotherBodyUnderTheSameRunIdKeepsTheFirst) {
  accept(body_);
  auto other = test::example_result();
  other.duration_s = 61;
  EXPECT_EQ(accept(canonical_json(other)).status, IngestStatus::conflict);
  EXPECT_EQ(store_.body(other.run_id), body_);
}

TEST_F(IngestTest, ARetractedRunDoesNotComeAgain) {
  const auto first = accept(body_);
  ASSERT_EQ(store_.retract(first.run_id, base64(agent_.public_key()), 1), RetractOutcome::retracted);
  EXPECT_EQ(accept(body_).status, IngestStatus::retracted);
  EXPECT_EQ(store_.body(first.run_id), std::nullopt);
}

TEST_F(IngestTest, OnlyTheCanonicalBodyIsKept) {
  for (const std::string& body :
       {" " + body_, body_ + "\n", "\xEF\xBB\xBF" + body_, nlohmann::json::parse(body_).dump(1),
        body_.substr(0, body_.size() - 1) + std::string(900'000, ' ') + "}"})
    EXPECT_EQ(accept(body).status, IngestStatus::malformed) << body.substr(0, 20);
  const std::string many = "{\"a\":[\"" + std::string(200, 'x');
  std::string large = many + "\"";
  while (large.size() <= 1U << 20U) large += ",\"" + std::string(200, 'x') + "\"";
  EXPECT_NE(accept(large + "]}").detail.find("longer than 1048576 bytes"), std::string::npos);
  EXPECT_EQ(stored(), 0);
  EXPECT_EQ(accept(body_).status, IngestStatus::created);
}

TEST_F(IngestTest, RefusesWhatIsNotAResult) {
  EXPECT_EQ(accept("{").status, IngestStatus::malformed);
  EXPECT_EQ(accept(std::string(1'000'000, '[')).status, IngestStatus::malformed);
  EXPECT_EQ(accept(R"({"run_id":"a","run_id":"b"})").status, IngestStatus::malformed);
  const auto outcome = accept("{}");
  EXPECT_EQ(outcome.status, IngestStatus::invalid);
  EXPECT_FALSE(outcome.violations.empty());
  auto wrong_type = nlohmann::json::parse(body_);
  wrong_type["duration_s"] = "long";
  const auto typed = accept(wrong_type.dump());
  EXPECT_EQ(typed.status, IngestStatus::invalid);
  ASSERT_FALSE(typed.violations.empty());
  EXPECT_EQ(typed.violations.front().substr(0, 13), "/duration_s: ");
  EXPECT_EQ(stored(), 0);
}

TEST_F(IngestTest, RefusesADayThatDoesNotExist) {
  auto document = nlohmann::json::parse(body_);
  document["started_at"] = "2026-02-30T00:00:00.000Z";
  EXPECT_EQ(accept(document.dump()).status, IngestStatus::invalid);
}

TEST_F(IngestTest, RefusesSimulatedRunsHoweverTheySaySo) {
  EXPECT_EQ(accept(canonical_json(test::simulated_v100_result())).status, IngestStatus::simulated_refused);
  auto sly = test::simulated_v100_result();
  sly.simulated = false;  // a device still says it
  EXPECT_EQ(accept(canonical_json(sly)).status, IngestStatus::simulated_refused);
  Ingest lenient(store_, collector_, {true}, [] { return std::int64_t{0}; });
  const std::string body = canonical_json(sly);
  EXPECT_EQ(
      lenient.accept({body, base64(agent_.public_key()), base64(agent_.sign(result_signing_message(body)))}).status,
      IngestStatus::created);
  const auto database = pool_->take(ConnectionPool::Access::read);
  Statement query(*database, "SELECT simulated, trust, gpu_model, gpu_count FROM run");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.integer(0), 1);
  EXPECT_EQ(query.text(1), "self_reported");
  EXPECT_EQ(query.text(2), "Tesla V100");
  EXPECT_EQ(query.integer(3), 1);
}

TEST_F(IngestTest, RefusesMissingAndForeignSignatures) {
  EXPECT_EQ(ingest_.accept({body_, std::nullopt, std::nullopt}).status, IngestStatus::unsigned_body);
  EXPECT_EQ(ingest_.accept({body_, base64(agent_.public_key()), "AAAA"}).status, IngestStatus::unsigned_body);
  EXPECT_EQ(accept_signed(body_, body_ + " ").status, IngestStatus::bad_signature);
  const auto bare = base64(agent_.sign(body_));  // without the prefix that says what is signed
  EXPECT_EQ(ingest_.accept({body_, base64(agent_.public_key()), bare}).status, IngestStatus::bad_signature);
  EXPECT_EQ(stored(), 0);
}

TEST_F(IngestTest, MixedGpusHaveNoModel) {
  Ingest lenient(store_, collector_, {true}, [] { return std::int64_t{0}; });
  auto mixed = test::simulated_v100_result(2);
  mixed.devices[1].model = "Tesla P100";
  const std::string body = canonical_json(mixed);
  lenient.accept({body, base64(agent_.public_key()), base64(agent_.sign(result_signing_message(body)))});
  const auto database = pool_->take(ConnectionPool::Access::read);
  Statement query(*database, "SELECT gpu_model, gpu_count FROM run");
  ASSERT_TRUE(query.step());
  EXPECT_TRUE(query.is_null(0));
  EXPECT_EQ(query.integer(1), 2);
}

TEST_F(IngestTest, SomeGpusOfAMachineHaveNoModelToCompare) {
  Ingest lenient(store_, collector_, {true}, [] { return std::int64_t{0}; });
  auto part = test::simulated_v100_result();
  part.unknown.push_back({"/devices", std::string(kPartOfMachine) + ": 1 of 4 GPUs was measured"});
  const std::string body = canonical_json(part);
  lenient.accept({body, base64(agent_.public_key()), base64(agent_.sign(result_signing_message(body)))});
  const auto run = store_.columns(part.run_id);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->gpu_model, std::nullopt) << "its price would be that of another machine";
  EXPECT_EQ(run->gpu_count, 1);
}

TEST_F(IngestTest, AStoreThatFailsCostsTheKeyNothing) {
  Ingest limited(store_, collector_, {false, {1, 1}, [] { return std::int64_t{0}; }}, [this] { return now_ms_++; });
  const Upload upload{body_, base64(agent_.public_key()), base64(agent_.sign(result_signing_message(body_)))};
  const auto execute = [this](const char* sql) { pool_->take(ConnectionPool::Access::write)->execute(sql); };
  execute("ALTER TABLE run_body RENAME TO away");
  for (int attempt = 0; attempt < 3; ++attempt) EXPECT_THROW((void)limited.accept(upload), Error);
  execute("ALTER TABLE away RENAME TO run_body");
  EXPECT_EQ(limited.accept(upload).status, IngestStatus::created);
}

TEST_F(IngestTest, StoreFailureBecomes503AndALogLine) {
  std::string log;
  ExportSpace space;
  const Surrogates names(*pool_->take(ConnectionPool::Access::write));
  const ReadRoutes read(store_, names, space, [] { return nullptr; });
  KeyChanges keys(store_, KeyPair::generate(), [] { return std::int64_t{0}; });
  test::FloorParts floor(*pool_, store_);
  PublicLog public_log(*pool_, collector_, [] { return std::int64_t{0}; });
  const PublicLogRoutes log_routes(public_log, store_);
  Routes routes({ingest_, keys, store_, read, floor.routes, log_routes, [] {}},
                [&log](std::string_view line) { log += line; });
  pool_->take(ConnectionPool::Access::write)->execute("DROP VIEW results; DROP TABLE run");
  const HttpRequest request{"POST",
                            "/v1/results",
                            {{"content-type", "application/json; charset=utf-8"},
                             {"gpuassay-key", base64(agent_.public_key())},
                             {"gpuassay-signature", base64(agent_.sign(result_signing_message(body_)))}},
                            body_};
  const auto reply = routes.answer(request);
  EXPECT_EQ(reply.status, 503);
  ASSERT_EQ(reply.headers.size(), 1U);
  EXPECT_EQ(reply.headers.front().first, "Retry-After");
  EXPECT_NE(log.find("no such table"), std::string::npos);
  EXPECT_EQ(reply.body.find("no such table"), std::string::npos);
}

}  // namespace
}  // namespace gpuassay
