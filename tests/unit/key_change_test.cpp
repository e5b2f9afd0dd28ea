#include "agent/key_change.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/receipt.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

constexpr const char* kTime = "2026-01-01T00:00:00.000Z";

class KeyChangeTest : public testing::Test {
 protected:
  KeyChangeReply ask(const std::optional<KeyPair>& new_key, const HttpAnswer& answer) {
    UploadWorld world;
    world.exchange = [this, &answer](const HttpCall& call) {
      calls_.push_back(call);
      return answer;
    };
    world.now = [this] { return now_; };
    world.sleep = [this](milliseconds duration) { now_ += duration; };
    world.random = [] { return 0.5; };
    return change_key(access_, new_key, world);
  }
  std::string statement(const std::optional<KeyPair>& new_key) {
    return signed_key_revocation(access_.key.public_key(),
                                 new_key ? std::optional(new_key->public_key()) : std::nullopt, kTime, collector_);
  }

  KeyPair collector_ = KeyPair::generate(), newer_ = KeyPair::generate();
  CollectorAccess access_{"https://h/p/", KeyPair::generate(), {}, "agent/1", std::nullopt};
  std::vector<HttpCall> calls_;
  milliseconds now_{0};
};

TEST_F(KeyChangeTest, BothKeysSignTheReplacement) {
  EXPECT_EQ(ask(newer_, {200, {}, statement(newer_)}).status, KeyChangeStatus::done);
  const HttpCall& call = calls_.at(0);
  EXPECT_EQ(call.method + " " + call.target, "POST /p/v1/keys/replace");
  std::map<std::string, std::string> headers(call.headers.begin(), call.headers.end());
  const std::string message =
      "gpuassay-replace-key-v1\n" + headers["Gpuassay-Key"] + "\n" + headers["Gpuassay-New-Key"];
  EXPECT_EQ(headers["Gpuassay-New-Key"], base64(newer_.public_key()));
  for (const auto& [key, name] :
       {std::pair(&access_.key, "Gpuassay-Signature"), std::pair(&newer_, "Gpuassay-New-Signature")})
    EXPECT_TRUE(verify_signature(key->public_key(), message, signature_from_base64(headers[name]).value())) << name;
}

TEST_F(KeyChangeTest, ARevocationIsSignedByTheKey) {
  EXPECT_EQ(ask(std::nullopt, {200, {}, statement(std::nullopt)}).status, KeyChangeStatus::done);
  const HttpCall& call = calls_.at(0);
  EXPECT_EQ(call.method + " " + call.target, "POST /p/v1/keys/revoke");
  std::map<std::string, std::string> headers(call.headers.begin(), call.headers.end());
  EXPECT_TRUE(verify_signature(access_.key.public_key(), "gpuassay-revoke-key-v1\n" + headers["Gpuassay-Key"],
                               signature_from_base64(headers["Gpuassay-Signature"]).value()));
}

TEST_F(KeyChangeTest, OnlyAStatementAboutTheseKeysIsBelieved) {
  const KeyPair other = KeyPair::generate();
  const std::string of_another = signed_key_revocation(other.public_key(), newer_.public_key(), kTime, collector_);
  for (const std::string& body :
       {statement(std::nullopt), statement(other), of_another, std::string("<html>hotel</html>"),
        signed_tombstone("run-1", kTime, collector_), std::string()}) {
    const KeyChangeReply reply = ask(newer_, {200, {}, body});
    EXPECT_EQ(reply.status, KeyChangeStatus::deferred) << body;
    EXPECT_NE(reply.reason.find("may not be a collector"), std::string::npos) << reply.reason;
  }
}

TEST_F(KeyChangeTest, RefusalsAreFinalAndFailuresAreNot) {
  EXPECT_EQ(ask(newer_, {404, {}, ""}).status, KeyChangeStatus::never_there);
  EXPECT_EQ(ask(newer_, {409, {}, ""}).status, KeyChangeStatus::refused);
  EXPECT_EQ(calls_.size(), 2U);
  EXPECT_EQ(ask(newer_, {503, {}, ""}).status, KeyChangeStatus::deferred);
  EXPECT_GT(calls_.size(), 4U) << "asked again";
  EXPECT_LE(now_, milliseconds{10'000});
}

}  // namespace
}  // namespace gpuassay
