#include "agent/upload.h"

#include <gtest/gtest.h>

#include <deque>

#include "core/error.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

/// A network that gives prepared answers and a clock that only sleeping moves.
class UploadTest : public testing::Test {
 protected:
  using Step = std::function<HttpAnswer(const HttpCall&)>;

  UploadOutcome upload() {
    UploadWorld world;
    world.exchange = [this](const HttpCall& call) {
      calls_.push_back(call);
      const Step step = steps_.front();
      if (steps_.size() > 1) steps_.pop_front();  // the last step repeats
      return step(call);
    };
    world.now = [this] { return now_; };
    world.sleep = [this](milliseconds duration) {
      sleeps_.push_back(duration);
      now_ += duration;
    };
    world.random = [this] { return random_; };
    return upload_result(request_, world);
  }

  static Step answers(int status, std::string body = "", std::map<std::string, std::string> headers = {}) {
    return [=](const HttpCall&) { return HttpAnswer{status, headers, body}; };
  }
  Step receipt(int status) {
    return answers(status, signed_receipt("run-1", "body", "2026-01-01T00:00:00.000Z", collector_));
  }
  Step fails(milliseconds duration = milliseconds{0}) {
    return [this, duration](const HttpCall&) -> HttpAnswer {
      now_ += duration;
      throw Error(ErrorCode::network, "no answer");
    };
  }

  KeyPair collector_ = KeyPair::generate();
  UploadRequest request_{"http://h:1/p/",     "run-1",      "body",
                         KeyPair::generate(), std::nullopt, {},
                         "agent/1",           std::nullopt, milliseconds{60'000}};
  std::deque<Step> steps_;
  std::vector<HttpCall> calls_;
  std::vector<milliseconds> sleeps_;
  milliseconds now_{0};
  double random_ = 0.5;
};

TEST_F(UploadTest, SendsTheSignedBodyAndKeepsTheReceipt) {
  steps_ = {receipt(201)};
  const auto outcome = upload();
  EXPECT_EQ(outcome.status, UploadStatus::accepted);
  EXPECT_EQ(outcome.receipt, signed_receipt("run-1", "body", "2026-01-01T00:00:00.000Z", collector_));
  EXPECT_EQ(outcome.attempts, 1);
  ASSERT_EQ(calls_.size(), 1U);
  const HttpCall& call = calls_.front();
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.target, "/p/v1/results");
  EXPECT_EQ(call.body, "body");
  std::map<std::string, std::string> headers(call.headers.begin(), call.headers.end());
  EXPECT_EQ(headers["Content-Type"], "application/json");
  EXPECT_EQ(headers["User-Agent"], "agent/1");
  const auto key = public_key_from_base64(headers["Gpuassay-Key"]);
  const auto signature = signature_from_base64(headers["Gpuassay-Signature"]);
  ASSERT_TRUE(key && signature);
  EXPECT_TRUE(verify_signature(*key, result_signing_message("body"), *signature));
}

TEST_F(UploadTest, ReplayIsSuccessToo) {
  steps_ = {receipt(200)};
  EXPECT_EQ(upload().status, UploadStatus::accepted);
}

TEST_F(UploadTest, SuccessWithoutAGenuineReceiptIsNotSuccess) {
  const auto reason_for = [this](Step step) {
    steps_ = {std::move(step)};
    const auto outcome = upload();
    EXPECT_EQ(outcome.status, UploadStatus::deferred);
    EXPECT_EQ(outcome.attempts, 1);
    return outcome.reason;
  };
  EXPECT_NE(reason_for(answers(200, "<html>Welcome to the hotel</html>")).find("not a receipt"), std::string::npos);
  EXPECT_NE(reason_for(answers(201, signed_receipt("run-2", "body", "t", collector_))).find("another run"),
            std::string::npos);
  EXPECT_NE(reason_for(answers(201, signed_receipt("run-1", "other", "t", collector_))).find("another body"),
            std::string::npos);
  std::string forged = signed_receipt("run-1", "body", "t1", collector_);
  forged.replace(forged.find("t1"), 2, "t2");
  EXPECT_NE(reason_for(answers(201, forged)).find("does not verify"), std::string::npos);
  request_.collector_key = KeyPair::generate().public_key();
  EXPECT_NE(reason_for(receipt(201)).find("another collector"), std::string::npos);
  request_.collector_key = collector_.public_key();
  steps_ = {receipt(201)};
  EXPECT_EQ(upload().status, UploadStatus::accepted);
}

TEST_F(UploadTest, OtherSuccessCodesAndRedirectsAreDeferred) {
  for (const int status : {202, 204, 301, 302, 307, 308}) {
    steps_ = {answers(status, "", {{"location", "http://elsewhere/"}})};
    const auto outcome = upload();
    EXPECT_EQ(outcome.status, UploadStatus::deferred) << status;
    EXPECT_NE(outcome.reason.find("redirections are not followed"), std::string::npos) << outcome.reason;
  }
  EXPECT_EQ(calls_.size(), 6U);  // none was followed or repeated
}

TEST_F(UploadTest, FinalRefusalsKeepTheServersReason) {
  for (const int status : {400, 401, 403, 404, 409, 413, 415, 422, 431}) {
    steps_ = {answers(status, R"({"title":"No","detail":"because","violations":["/score: \u001b[31mred"]})")};
    const auto outcome = upload();
    EXPECT_EQ(outcome.status, UploadStatus::rejected);
    EXPECT_EQ(outcome.http_status, status);
    EXPECT_EQ(outcome.reason, "HTTP " + std::to_string(status) + ": No: because: /score: ?[31mred");
    EXPECT_EQ(outcome.attempts, 1);
  }
  steps_ = {answers(404, "<html>")};
  EXPECT_EQ(upload().reason, "HTTP 404");
}

TEST_F(UploadTest, AProxyThatWantsAPasswordRefusesNothing) {
  steps_ = {answers(407)};
  EXPECT_EQ(upload().status, UploadStatus::deferred);
}

TEST_F(UploadTest, GoesThroughTheProxyOfTheRequest) {
  request_.proxy = Proxy{"proxy", 3128, "Basic x"};
  steps_ = {receipt(201)};
  upload();
  ASSERT_TRUE(calls_.front().proxy);
  EXPECT_EQ(calls_.front().proxy->host, "proxy");
}

TEST_F(UploadTest, WhatEndsAWholeUpload) {
  const auto outcome = [this](Step step) {
    steps_ = {std::move(step)};
    request_.budget = milliseconds{0};
    return upload();
  };
  EXPECT_TRUE(next_may_succeed(outcome(receipt(201))));
  EXPECT_TRUE(next_may_succeed(outcome(answers(422))));
  EXPECT_TRUE(next_may_succeed(outcome(answers(500)))) << "one body that breaks a server must not hold up the others";
  EXPECT_FALSE(next_may_succeed(outcome(fails())));
  for (const int status : {200, 302, 407, 408, 429, 502, 503, 504})
    EXPECT_FALSE(next_may_succeed(outcome(answers(status)))) << status;
}

TEST_F(UploadTest, WithoutPatienceOneAttemptIsMade) {
  request_.budget = milliseconds{0};
  for (const Step& step : {answers(503), answers(500), fails()}) {
    steps_ = {step};
    EXPECT_EQ(upload().attempts, 1);
  }
  EXPECT_TRUE(sleeps_.empty());
}

TEST_F(UploadTest, BusyServersAreTriedAgain) {
  for (const int status : {408, 429, 500, 502, 503}) {
    now_ = milliseconds{0};
    steps_ = {answers(status), answers(status), receipt(201)};
    const auto outcome = upload();
    EXPECT_EQ(outcome.status, UploadStatus::accepted) << status;
    EXPECT_EQ(outcome.attempts, 3);
  }
  // Half of 500 ms, then half of 1000 ms.
  EXPECT_EQ(sleeps_.at(0), milliseconds{250});
  EXPECT_EQ(sleeps_.at(1), milliseconds{500});
}

TEST_F(UploadTest, RetryAfterIsALowerBound) {
  steps_ = {answers(429, "", {{"retry-after", "7"}}), receipt(201)};
  EXPECT_EQ(upload().status, UploadStatus::accepted);
  EXPECT_EQ(sleeps_, std::vector<milliseconds>{milliseconds{7'250}});
}

TEST_F(UploadTest, RetryAfterOfHoursIsFiveMinutes) {
  request_.budget = milliseconds{600'000};
  steps_ = {answers(503, "", {{"retry-after", "86400"}}), receipt(201)};
  EXPECT_EQ(upload().status, UploadStatus::accepted);
  EXPECT_EQ(sleeps_, std::vector<milliseconds>{milliseconds{300'000}});
}

TEST_F(UploadTest, RetryAfterBeyondTheBudgetEndsAtOnce) {
  for (const char* const wanted_s : {"61", "4294967295"}) {
    steps_ = {answers(503, "", {{"retry-after", wanted_s}})};
    const auto outcome = upload();
    EXPECT_EQ(outcome.status, UploadStatus::deferred);
    EXPECT_EQ(outcome.attempts, 1);
    EXPECT_TRUE(sleeps_.empty());
  }
}

TEST_F(UploadTest, UnreadableRetryAfterIsIgnored) {
  for (const char* const value : {"", "-1", "soon", "99999999999999999999", "Fri, 31 Dec 2027 23:59:59 GMT"}) {
    sleeps_.clear();
    steps_ = {answers(503, "", {{"retry-after", value}}), receipt(201)};
    EXPECT_EQ(upload().status, UploadStatus::accepted);
    EXPECT_EQ(sleeps_, std::vector<milliseconds>{milliseconds{250}}) << value;
  }
}

TEST_F(UploadTest, BudgetEndsTheRetries) {
  random_ = 0.999;
  steps_ = {answers(503)};
  const auto outcome = upload();
  EXPECT_EQ(outcome.status, UploadStatus::deferred);
  EXPECT_EQ(outcome.http_status, 503);
  EXPECT_LT(now_, request_.budget);
  EXPECT_GT(outcome.attempts, 3);
}

TEST_F(UploadTest, WithoutANetworkItEndsWithinTenSeconds) {
  random_ = 0.999;
  steps_ = {fails(milliseconds{100})};
  const auto outcome = upload();
  EXPECT_EQ(outcome.status, UploadStatus::deferred);
  EXPECT_EQ(outcome.http_status, std::nullopt);
  EXPECT_EQ(outcome.reason, "no answer");
  EXPECT_GT(outcome.attempts, 2);
  EXPECT_LE(now_, milliseconds{10'100});
  for (const HttpCall& call : calls_) EXPECT_LE(call.limits.connect_time, milliseconds{5'000});
}

TEST_F(UploadTest, AServerThatFailsIsGivenUpAfterTenSeconds) {
  random_ = 0.999;
  request_.budget = milliseconds{600'000};
  steps_ = {answers(500)};
  EXPECT_EQ(upload().status, UploadStatus::deferred);
  EXPECT_LT(now_, milliseconds{10'000});
  steps_ = {answers(503)};
  now_ = milliseconds{0};
  upload();
  EXPECT_GT(now_, milliseconds{250'000}) << "a busy one is not";
}

TEST_F(UploadTest, LastConnectingIsCutShort) {
  random_ = 0;
  steps_ = {[this](const HttpCall& call) -> HttpAnswer {
    now_ += call.limits.connect_time;  // packets are swallowed
    throw Error(ErrorCode::network, "no answer");
  }};
  upload();
  EXPECT_EQ(now_, milliseconds{10'000});
}

TEST_F(UploadTest, ABugIsNotTakenForTheNetwork) {
  steps_ = {[](const HttpCall&) -> HttpAnswer { throw Error(ErrorCode::internal, "bug"); }};
  EXPECT_THROW(upload(), Error);
  request_.collector_url = "nonsense";
  EXPECT_THROW(upload(), Error);
}

}  // namespace
}  // namespace gpuassay
