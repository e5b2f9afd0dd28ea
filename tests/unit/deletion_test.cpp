#include "agent/deletion.h"

#include <gtest/gtest.h>

#include <deque>

#include "core/error.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

constexpr const char* kDeletedAt = "2026-01-01T00:00:00.000Z";

/// A collector that gives prepared answers and a clock that only sleeping moves.
class DeletionTest : public testing::Test {
 protected:
  DeletionReply ask(std::deque<HttpAnswer> answers) {
    UploadWorld world;
    world.exchange = [this, &answers](const HttpCall& call) {
      calls_.push_back(call);
      if (answers.empty()) throw Error(ErrorCode::network, "no answer\n");
      HttpAnswer answer = answers.front();
      if (answers.size() > 1) answers.pop_front();  // the last one repeats
      return answer;
    };
    world.now = [this] { return now_; };
    world.sleep = [this](milliseconds duration) { now_ += duration; };
    world.random = [] { return 0.5; };
    return delete_result(access_, "run-1", world);
  }

  KeyPair collector_ = KeyPair::generate();
  CollectorAccess access_{"https://h/p/", KeyPair::generate(), {}, "agent/1", std::nullopt};
  std::vector<HttpCall> calls_;
  milliseconds now_{0};
};

TEST_F(DeletionTest, TheRequestIsSignedForThisActionAndRun) {
  const std::string tombstone = signed_tombstone("run-1", kDeletedAt, collector_);
  const auto outcome = ask({{200, {}, tombstone}});
  EXPECT_EQ(outcome.status, DeletionStatus::deleted);
  EXPECT_EQ(outcome.tombstone, tombstone);
  const HttpCall& call = calls_.at(0);
  EXPECT_EQ(call.method, "DELETE");
  EXPECT_EQ(call.target, "/p/v1/results/run-1");
  EXPECT_EQ(call.body, "");
  std::map<std::string, std::string> headers(call.headers.begin(), call.headers.end());
  EXPECT_EQ(headers["Gpuassay-Key"], base64(access_.key.public_key()));
  const auto signature = signature_from_base64(headers["Gpuassay-Signature"]);
  ASSERT_TRUE(signature);
  EXPECT_TRUE(verify_signature(access_.key.public_key(), "gpuassay-delete-v1\nrun-1", *signature));
}

TEST_F(DeletionTest, A204CarriesTheTombstoneInAHeader) {
  const std::string tombstone = signed_tombstone("run-1", kDeletedAt, collector_);
  const auto outcome = ask({{204, {{"gpuassay-tombstone", base64(tombstone)}}, ""}});
  EXPECT_EQ(outcome.status, DeletionStatus::deleted);
  EXPECT_EQ(outcome.tombstone, tombstone);
}

TEST_F(DeletionTest, OnlyASignedTombstoneOfThisRunIsBelieved) {
  const std::string other = signed_tombstone("run-2", kDeletedAt, collector_);
  const std::vector<HttpAnswer> unproven = {
      {204, {}, ""},
      {204, {{"gpuassay-tombstone", "???"}}, ""},
      {204, {{"gpuassay-tombstone", base64(other)}}, ""},
      {200, {}, "<html>Welcome to the hotel</html>"},
      {200, {}, other},
      {200, {}, signed_receipt("run-1", "body", kDeletedAt, collector_)},
  };
  for (const HttpAnswer& answer : unproven) {
    const auto outcome = ask({answer});
    EXPECT_EQ(outcome.status, DeletionStatus::deferred) << answer.body;
    EXPECT_NE(outcome.reason.find("this may not be a collector"), std::string::npos) << outcome.reason;
  }
  EXPECT_EQ(calls_.size(), unproven.size()) << "asking again would not help";
}

TEST_F(DeletionTest, WhatTheOtherAnswersMean) {
  EXPECT_EQ(ask({{404, {}, ""}}).status, DeletionStatus::never_there);
  EXPECT_EQ(ask({{410, {}, ""}}).status, DeletionStatus::gone);
  const auto refused = ask({{403, {}, R"({"title":"No","detail":"another\u001bkey"})"}});
  EXPECT_EQ(refused.status, DeletionStatus::refused);
  EXPECT_EQ(refused.reason, "HTTP 403: No: another?key");
  EXPECT_EQ(ask({{307, {{"location", "http://elsewhere"}}, ""}}).status, DeletionStatus::deferred);
  EXPECT_EQ(calls_.size(), 4U);
}

TEST_F(DeletionTest, BusyCollectorsAreAskedAgainForTenSecondsAtMost) {
  EXPECT_EQ(
      ask({{503, {{"retry-after", "2"}}, ""}, {200, {}, signed_tombstone("run-1", kDeletedAt, collector_)}}).status,
      DeletionStatus::deleted);
  EXPECT_EQ(now_, milliseconds{2'250});
  now_ = milliseconds{0};
  EXPECT_EQ(ask({{429, {}, ""}}).status, DeletionStatus::deferred);
  EXPECT_LT(now_, milliseconds{10'000});
  now_ = milliseconds{0};
  const auto outcome = ask({});
  EXPECT_EQ(outcome.status, DeletionStatus::deferred);
  EXPECT_EQ(outcome.reason, "no answer?");
  EXPECT_LT(now_, milliseconds{10'000});
}

}  // namespace
}  // namespace gpuassay
