#include "agent/sendable.h"

#include <gtest/gtest.h>

#include "core/result_json.h"
#include "tests/support/example_result.h"

namespace gpuassay {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const auto found = text.find(what);
  EXPECT_NE(found, std::string::npos);
  return text.replace(found, what.size(), by);
}

TEST(Sendable, OnlyResultsOfTheirOwnNameAreSent) {
  const Result result = test::example_result();
  const std::string body = canonical_json(result);
  const std::string version = "\"schema_version\":\"" + result.schema_version + "\"";
  const auto look = [&](const std::string& text) { return look_at_saved_result(result.run_id, text).sendable; };
  EXPECT_EQ(look(body), Sendable::yes);
  EXPECT_EQ(look(replaced(body, version, "\"schema_version\":\"1.99\"")), Sendable::yes) << "the collector decides";
  EXPECT_EQ(look(replaced(body, version, "\"schema_version\":\"2.0\"")), Sendable::newer);
  EXPECT_EQ(look(R"({"schema_version":"10.3"})"), Sendable::newer) << "whatever it holds";
  for (const char* text : {"", "{", "[]", "null", "\"2.0\"", R"({"schema_version":2})", R"({"schema_version":"2"})",
                           R"({"schema_version":".1"})", R"({"schema_version":"0.9"})"})
    EXPECT_EQ(look(text), Sendable::damaged) << text;
  const auto other = look_at_saved_result("0190b5a4-7c1d-7b3e-9f00-000000000000", body);
  EXPECT_EQ(other.sendable, Sendable::damaged);
  EXPECT_EQ(other.reason, "it holds the result of another run");
}

TEST(Sendable, EveryTruncationIsDamage) {
  const Result result = test::example_result();
  const std::string body = canonical_json(result);
  for (std::size_t length = 0; length < body.size(); length += body.size() / 199)
    EXPECT_EQ(look_at_saved_result(result.run_id, body.substr(0, length)).sendable, Sendable::damaged) << length;
}

}  // namespace
}  // namespace gpuassay
