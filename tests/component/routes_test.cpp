// Every address of the collector, without a network: uploads, limits, deletions, metrics.
#include "collector/routes.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/receipt.h"
#include "core/result_json.h"
#include "tests/support/example_result.h"
#include "tests/support/floor_parts.h"
#include "tests/support/memory_pool.h"

namespace gpuassay {
namespace {

class RoutesTest : public testing::Test {
 protected:
  HttpReply post(const std::string& body, const KeyPair& key, const std::string& peer = "192.0.2.1") {
    HttpRequest request{"POST", "/v1/results", signed_by(key, result_signing_message(body)), body};
    request.headers["content-type"] = "application/json";
    request.peer = peer;
    return routes_.answer(request);
  }
  HttpReply take_back(const std::string& run_id, const KeyPair& key, const std::string& peer = "203.0.113.1") {
    return routes_.answer(
        {"DELETE", "/v1/results/" + run_id, signed_by(key, deletion_signing_message(run_id)), {}, {}, peer});
  }
  HttpReply get(const std::string& path) { return routes_.answer({"GET", path, {}, {}}); }

  static std::map<std::string, std::string> signed_by(const KeyPair& key, const std::string& message) {
    return {{"gpuassay-key", base64(key.public_key())}, {"gpuassay-signature", base64(key.sign(message))}};
  }
  HttpReply replace(const KeyPair& old_key, const KeyPair& new_key, const std::string& peer = "100.64.0.2") {
    const std::string message = key_replacement_signing_message(old_key.public_key(), new_key.public_key());
    auto headers = signed_by(old_key, message);
    headers["gpuassay-new-key"] = base64(new_key.public_key());
    headers["gpuassay-new-signature"] = base64(new_key.sign(message));
    return routes_.answer({"POST", "/v1/keys/replace", headers, {}, {}, peer});
  }
  static std::string body_of_run(int number) {
    Result result = test::example_result();
    result.run_id.replace(result.run_id.size() - 4, 4, std::to_string(1000 + number));
    return canonical_json(result);
  }
  static std::string retry_after(const HttpReply& reply) {
    for (const auto& [name, value] : reply.headers)
      if (name == "Retry-After") return value;
    return {};
  }

  std::unique_ptr<ConnectionPool> pool_ = test::memory_pool();
  RunStore store_{*pool_};
  KeyPair agent_ = KeyPair::generate(), collector_ = KeyPair::generate();
  std::int64_t now_ms_ = 1'800'000'000'000;
  std::int64_t steady_ms_ = 0;
  Ingest ingest_{store_, collector_, {false, {60, 3}, [this] { return steady_ms_; }}, [this] { return now_ms_; }};
  KeyChanges keys_{store_, collector_, [this] { return now_ms_; }};
  ExportSpace space_;
  Surrogates names_{*pool_->take(ConnectionPool::Access::write)};
  ReadRoutes read_{store_, names_, space_, [] { return nullptr; }};
  int changes_ = 0;
  test::FloorParts floor_{*pool_, store_};
  PublicLog public_log_{*pool_, collector_, [this] { return now_ms_; }};
  PublicLogRoutes log_routes_{public_log_, store_};
  Routes routes_{{ingest_,
                  keys_,
                  store_,
                  read_,
                  floor_.routes,
                  log_routes_,
                  [this] { ++changes_; },
                  {3600, 6},
                  {},
                  [this] { return steady_ms_; }},
                 [](std::string_view) {}};
};

TEST_F(RoutesTest, AKeyHasItsShare) {
  for (int number = 0; number < 3; ++number) EXPECT_EQ(post(body_of_run(number), agent_).status, 201);
  const HttpReply more = post(body_of_run(3), agent_);
  EXPECT_EQ(more.status, 429);
  EXPECT_EQ(retry_after(more), "60");
  EXPECT_EQ(post(body_of_run(0), agent_).status, 200) << "what is there is answered again";
  now_ms_ += 86'400'000;
  EXPECT_EQ(post(body_of_run(3), agent_).status, 429) << "setting the clock changes nothing";
  now_ms_ -= 2 * 86'400'000LL;
  EXPECT_EQ(retry_after(post(body_of_run(3), agent_, "198.51.100.1")), "60");
  steady_ms_ += 60'000;
  EXPECT_EQ(post(body_of_run(3), agent_, "198.51.100.1").status, 201);
  EXPECT_EQ(changes_, 4);
}

TEST_F(RoutesTest, ExportsAreMadeLaterAndForHeadNever) {
  const HttpReply reply = get("/v1/export.csv");
  ASSERT_TRUE(reply.make);
  const std::string counted = "gpuassay_http_requests_total{route=\"/v1/export.csv\",status=\"200\"} ";
  EXPECT_EQ(get("/metrics").body.find(counted), std::string::npos) << "not before it is made";
  EXPECT_EQ(reply.make([] { return true; }).next().substr(0, 7), "run_id,");
  HttpRequest head{"GET", "/v1/export.csv", {}, {}};
  head.is_head = true;
  const HttpReply header = routes_.answer(head);
  EXPECT_EQ(header.status, 200);
  EXPECT_FALSE(header.make);
  EXPECT_EQ(header.next(), "");
  EXPECT_NE(get("/metrics").body.find(counted + "2"), std::string::npos);
  EXPECT_EQ(get("/v1/export.csv").status, 200);
  HttpRequest wrong{"GET", "/v1/export.csv", {}, {}, "colour=red"};
  EXPECT_EQ(routes_.answer(wrong).status, 400);
}

TEST_F(RoutesTest, ANetworkHasItsShareWhateverItsKeys) {
  for (int number = 0; number < 6; ++number)
    EXPECT_EQ(post(body_of_run(number), KeyPair::generate(), "192.0.2." + std::to_string(number)).status, 201);
  EXPECT_EQ(post(body_of_run(6), KeyPair::generate(), "192.0.2.200").status, 429);
  EXPECT_EQ(post(body_of_run(6), KeyPair::generate(), "198.51.100.1").status, 201);
}

TEST_F(RoutesTest, DeletionsAndKeyChangesHaveTheSameShare) {
  ASSERT_EQ(post(body_of_run(1), agent_).status, 201);
  const std::string run_id = "0190b5a4-7c1d-7b3e-9f00-000000000000";
  for (int number = 0; number < 4; ++number) EXPECT_EQ(take_back(run_id, agent_, "192.0.2.7").status, 404);
  EXPECT_EQ(replace(KeyPair::generate(), KeyPair::generate(), "192.0.2.8").status, 404);
  EXPECT_EQ(retry_after(take_back(run_id, agent_, "192.0.2.9")), "1");
  EXPECT_EQ(replace(KeyPair::generate(), KeyPair::generate(), "192.0.2.9").status, 429);
  EXPECT_EQ(post(body_of_run(2), agent_, "192.0.2.10").status, 429);
  EXPECT_EQ(take_back(run_id, agent_, "198.51.100.1").status, 404);
}

TEST_F(RoutesTest, OnlyTheContributorTakesARunBack) {
  const std::string body = body_of_run(1);
  const std::string run_id = nlohmann::json::parse(body)["run_id"];
  ASSERT_EQ(post(body, agent_).status, 201);
  EXPECT_EQ(take_back(run_id, KeyPair::generate()).status, 403);
  EXPECT_EQ(get("/v1/results/" + run_id).status, 200);
  EXPECT_EQ(routes_.answer({"DELETE", "/v1/results/" + run_id, {}, {}}).status, 400);
  HttpRequest other{"DELETE", "/v1/results/" + run_id, signed_by(agent_, deletion_signing_message("another")), {}};
  EXPECT_EQ(routes_.answer(other).status, 403) << "a signature is of one run";

  const HttpReply gone = take_back(run_id, agent_);
  ASSERT_EQ(gone.status, 200);
  std::string problem;
  const auto tombstone = verified_tombstone(gone.body, run_id, problem);
  ASSERT_TRUE(tombstone) << problem;
  EXPECT_EQ(tombstone->collector_key, collector_.public_key());
  EXPECT_EQ(get("/v1/results/" + run_id).status, 404);
  EXPECT_EQ(post(body, agent_).status, 410) << "it does not come again";
  now_ms_ += 5'000;
  EXPECT_EQ(take_back(run_id, agent_).body, gone.body) << "asked again, answered the same";
  EXPECT_EQ(take_back("0190b5a4-7c1d-7b3e-9f00-000000000000", agent_).status, 404);
}

TEST_F(RoutesTest, ARevokedKeySendsNothingNew) {
  ASSERT_EQ(post(body_of_run(1), agent_).status, 201);
  ASSERT_TRUE(store_.revoke_key(base64(agent_.public_key()), now_ms_));
  EXPECT_EQ(post(body_of_run(2), agent_).status, 403);
  EXPECT_EQ(post(body_of_run(1), agent_).status, 200) << "what was acknowledged stays";
}

TEST_F(RoutesTest, AReplacedKeyHandsItsMachineOn) {
  const KeyPair newer = KeyPair::generate();
  ASSERT_EQ(post(body_of_run(1), agent_).status, 201);
  const HttpReply replaced = replace(agent_, newer);
  ASSERT_EQ(replaced.status, 200) << replaced.body;
  std::string problem;
  const auto statement = verified_key_revocation(replaced.body, agent_.public_key(), newer.public_key(), problem);
  ASSERT_TRUE(statement) << problem;
  EXPECT_EQ(statement->revoked_at, "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(statement->collector_key, collector_.public_key());
  EXPECT_FALSE(verified_key_revocation(replaced.body, agent_.public_key(), std::nullopt, problem));
  now_ms_ += 5'000;
  EXPECT_EQ(replace(agent_, newer).body, replaced.body) << "asked again, answered the same";
  EXPECT_EQ(replace(agent_, KeyPair::generate()).status, 409) << "it has ended";

  EXPECT_EQ(post(body_of_run(2), agent_).status, 403);
  EXPECT_EQ(post(body_of_run(2), newer).status, 201);
  const std::string run_id = nlohmann::json::parse(body_of_run(1))["run_id"];
  EXPECT_EQ(take_back(run_id, agent_).status, 403) << "who stole the old key can do nothing with it";
  EXPECT_EQ(take_back(run_id, newer).status, 200) << "the new one answers for what the old one sent";
}

TEST_F(RoutesTest, KeysAreReplacedByThoseWhoHoldBoth) {
  const KeyPair newer = KeyPair::generate();
  EXPECT_EQ(replace(agent_, newer).status, 404) << "it never signed anything";
  ASSERT_EQ(post(body_of_run(1), agent_).status, 201);
  const std::string message = key_replacement_signing_message(agent_.public_key(), newer.public_key());
  auto headers = signed_by(agent_, message);
  EXPECT_EQ(routes_.answer({"POST", "/v1/keys/replace", headers, {}}).status, 400);
  headers["gpuassay-new-key"] = base64(newer.public_key());
  headers["gpuassay-new-signature"] = base64(KeyPair::generate().sign(message));
  EXPECT_EQ(routes_.answer({"POST", "/v1/keys/replace", headers, {}}).status, 403) << "of a key that one does not have";
  ASSERT_EQ(post(body_of_run(2), newer).status, 201);
  EXPECT_EQ(replace(agent_, newer).status, 409) << "it is another machine's";
  EXPECT_EQ(replace(agent_, agent_).status, 409);
  EXPECT_EQ(post(body_of_run(3), agent_).status, 201) << "nothing of that changed anything";
}

TEST_F(RoutesTest, AKeyIsRevokedByItsHolder) {
  const std::string message = key_revocation_signing_message(agent_.public_key());
  const HttpRequest request{"POST", "/v1/keys/revoke", signed_by(agent_, message), {}};
  EXPECT_EQ(routes_.answer(request).status, 404);
  ASSERT_EQ(post(body_of_run(1), agent_).status, 201);
  const HttpRequest other{"POST", "/v1/keys/revoke", signed_by(agent_, "gpuassay-revoke-key-v1\nanother"), {}};
  EXPECT_EQ(routes_.answer(other).status, 403);
  EXPECT_EQ(routes_.answer({"POST", "/v1/keys/revoke", {}, {}}).status, 400);
  EXPECT_EQ(routes_.answer({"GET", "/v1/keys/revoke", {}, {}}).status, 405);

  const HttpReply revoked = routes_.answer(request);
  ASSERT_EQ(revoked.status, 200);
  std::string problem;
  EXPECT_TRUE(verified_key_revocation(revoked.body, agent_.public_key(), std::nullopt, problem)) << problem;
  now_ms_ += 5'000;
  EXPECT_EQ(routes_.answer(request).body, revoked.body);
  EXPECT_EQ(post(body_of_run(2), agent_).status, 403);
  EXPECT_EQ(replace(agent_, KeyPair::generate()).status, 409);
}

TEST_F(RoutesTest, AnImplausibleRunIsKeptAndItsSenderTold) {
  Result result = test::example_result();
  result.score.value = 12'345;
  const HttpReply reply = post(canonical_json(result), agent_);
  EXPECT_EQ(reply.status, 201);
  const auto told = std::find_if(reply.headers.begin(), reply.headers.end(),
                                 [](const auto& header) { return header.first == "Gpuassay-Quarantine"; });
  ASSERT_NE(told, reply.headers.end());
  EXPECT_NE(told->second.find("score_differs"), std::string::npos);
  EXPECT_NE(store_.columns(result.run_id)->score, 12'345) << "the score is that of the samples";
  EXPECT_NE(get("/metrics").body.find("gpuassay_quarantined_total 1\n"), std::string::npos);
}

TEST_F(RoutesTest, MetricsNameRoutesNotAddresses) {
  get("/v1/results/secret-id");
  get("/nothing/{}\"\n");
  post("{", agent_);
  const std::string text = get("/metrics").body;
  EXPECT_NE(text.find("{route=\"/v1/results/{id}\",status=\"404\"} 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("{route=\"other\",status=\"404\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("gpuassay_uploads_total{outcome=\"malformed\"} 1\n"), std::string::npos);
  EXPECT_EQ(text.find("secret-id"), std::string::npos);
}

TEST_F(RoutesTest, HealthIsTheProcessAndReadinessTheStore) {
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  pool_->take(ConnectionPool::Access::write)->execute("DROP TABLE schema_migration");
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 503);
}

TEST_F(RoutesTest, MethodsAreNamed) {
  for (const auto& [path, allowed] :
       {std::pair("/v1/results", "GET, POST"), std::pair("/v1/results/x", "GET, DELETE"),
        std::pair("/v1/export.csv", "GET"), std::pair("/metrics", "GET"), std::pair("/v1/keys/replace", "POST")}) {
    const HttpReply reply = routes_.answer({"PATCH", path, {}, {}});
    EXPECT_EQ(reply.status, 405) << path;
    EXPECT_EQ(reply.headers.at(0).second, allowed) << path;
  }
  EXPECT_EQ(routes_.answer({"PATCH", "/nothing", {}, {}}).status, 404);
  HttpRequest wrong{"GET", "/v1/results", {}, {}, "limit=x"};
  EXPECT_EQ(routes_.answer(wrong).status, 400);
}

}  // namespace
}  // namespace gpuassay
