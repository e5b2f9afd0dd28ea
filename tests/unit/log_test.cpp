// Are the collector's log lines what people and programs can read?
#include "collector/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace gpuassay {
namespace {

using namespace std::chrono_literals;

class LogTest : public testing::Test {
 protected:
  Log log(LogFormat format, bool with_requests = true) {
    return {format, with_requests, [this](std::string_view line) { lines_.emplace_back(line); },
            [] { return std::int64_t{1'800'000'000'123}; }};
  }
  std::vector<std::string> lines_;
};

const RequestRecord kUpload{"POST", "/v1/results", 201, 12'345'678ns, "created"};

TEST_F(LogTest, RequestsAsText) {
  log(LogFormat::text).request(kUpload);
  log(LogFormat::text).request({"GET", "/healthz", 200, 15us, {}});
  EXPECT_EQ(lines_, (std::vector<std::string>{"POST /v1/results 201 12.345 ms created", "GET /healthz 200 0.015 ms"}));
}

TEST_F(LogTest, RequestsAsJson) {
  log(LogFormat::json).request(kUpload);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0], R"({"time":"2027-01-15T08:00:00.123Z","level":"info","event":"request","method":"POST",)"
                       R"("route":"/v1/results","status":201,"duration_ms":12.345,"outcome":"created"})");
}

TEST_F(LogTest, RequestsAreLoggedOnlyWhenWanted) {
  log(LogFormat::json, false).request(kUpload);
  EXPECT_TRUE(lines_.empty());
}

TEST_F(LogTest, ProblemsAreOneLineWhateverTheySay) {
  log(LogFormat::json).problem("two\nlines, \"quotes\" and \xff");
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0].find('\n'), std::string::npos);
  const auto line = nlohmann::json::parse(lines_[0]);
  EXPECT_EQ(line.at("level"), "warning");
  EXPECT_EQ(line.at("message"), "two\nlines, \"quotes\" and \xEF\xBF\xBD");
}

TEST_F(LogTest, StartAndStop) {
  log(LogFormat::text).started("http://127.0.0.1:1");
  log(LogFormat::text).problem("the disk is full");
  log(LogFormat::text).stopped();
  EXPECT_EQ(lines_,
            (std::vector<std::string>{"listening on http://127.0.0.1:1", "gpuassay-collector: the disk is full"}));
  lines_.clear();
  log(LogFormat::json).started("http://127.0.0.1:1");
  log(LogFormat::json).stopped();
  EXPECT_EQ(nlohmann::json::parse(lines_.at(0)).at("url"), "http://127.0.0.1:1");
  EXPECT_EQ(nlohmann::json::parse(lines_.at(1)).at("event"), "stopped");
}

}  // namespace
}  // namespace gpuassay
