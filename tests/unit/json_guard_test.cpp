#include "core/json_guard.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"

namespace gpuassay {
namespace {

std::string json_refusal(std::string_view text, const JsonLimits& limits = {}) {
  try {
    parse_untrusted_json(text, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unreadable_input);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

std::string repeated(std::string_view piece, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += piece;
  return text;
}

TEST(JsonGuard, AcceptsAnOrdinaryDocument) {
  const auto json = parse_untrusted_json(R"({"a":[1,2.5,null,true,"\u00e9"],"b":{"a":-1e3}})");
  EXPECT_EQ(json["a"][4], "\xC3\xA9");
  EXPECT_EQ(json["b"]["a"], -1000.0);
}

TEST(JsonGuard, NamesTheByteOfTheProblem) {
  EXPECT_EQ(
      json_refusal(R"({"a":1,"a":2})"),
      "JSON document refused at byte 10: a key occurs twice in one object; send the document as gpuassay wrote it");
}

TEST(JsonGuard, SameKeyInDifferentObjectsIsFine) {
  EXPECT_EQ(json_refusal(R"([{"a":{"a":1}},{"a":[{"a":2}]}])"), "accepted");
}

TEST(JsonGuard, RefusesDuplicateKeyAfterANestedObject) {
  EXPECT_NE(json_refusal(R"({"a":{"b":1},"a":2})").find("twice"), std::string::npos);
}

TEST(JsonGuard, RefusesDuplicateKeyWrittenWithEscapes) {
  EXPECT_NE(json_refusal(R"({"a":1,"\u0061":2})").find("twice"), std::string::npos);
}

TEST(JsonGuard, CompactDocumentsHaveNothingBetweenTheirValues) {
  JsonLimits compact;
  compact.compact = true;
  EXPECT_EQ(json_refusal(R"({"a b":["c  d","\" ",1,{}],"e":" \u0020\n"})", compact), "accepted");
  const std::string_view problem =
      "JSON document refused at byte {}: white space between values; send the document as gpuassay wrote it";
  for (const auto& [text, at] : std::vector<std::pair<std::string, int>>{{R"( {"a":1})", 0},
                                                                         {R"({"a": 1})", 5},
                                                                         {R"({"a":"x y" })", 10},
                                                                         {"{\"a\":1}\n", 7},
                                                                         {"[1,\t2]", 3},
                                                                         {"[\r1]", 1}}) {
    EXPECT_EQ(json_refusal(text), "accepted") << text;
    EXPECT_EQ(json_refusal(text, compact), std::string(problem).replace(problem.find("{}"), 2, std::to_string(at)));
  }
  EXPECT_NE(json_refusal("\xEF\xBB\xBF{}", compact).find("byte order mark"), std::string::npos);
  EXPECT_NE(json_refusal("[\"a\tb\"]", compact).find("not valid JSON"), std::string::npos);
}

TEST(JsonGuard, DepthLimitIsExact) {
  EXPECT_EQ(json_refusal(repeated("[", 32) + repeated("]", 32)), "accepted");
  EXPECT_NE(json_refusal(repeated("[", 33) + repeated("]", 33)).find("32 levels"), std::string::npos);
  EXPECT_NE(json_refusal(repeated("{\"a\":", 33) + "1" + repeated("}", 33)).find("32 levels"), std::string::npos);
}

TEST(JsonGuard, MillionLevelsNeitherRecurseNorCrash) {
  JsonLimits limits;
  limits.max_depth = 2'000'000;
  limits.max_values = 2'000'000;
  EXPECT_NE(json_refusal(repeated("[", 1'000'000), limits).find("not valid JSON"), std::string::npos);
  EXPECT_NE(json_refusal(repeated("[", 1'000'000)).find("at byte 33"), std::string::npos);
}

TEST(JsonGuard, ValueLimitIsExact) {
  JsonLimits limits;
  limits.max_values = 4;
  EXPECT_EQ(json_refusal("[1,2,3]", limits), "accepted");
  EXPECT_NE(json_refusal("[1,2,3,4]", limits).find("more than 4 values"), std::string::npos);
  EXPECT_NE(json_refusal("[[],[],{},[]]", limits).find("more than 4 values"), std::string::npos);
}

TEST(JsonGuard, StringAndKeyLimitsAreExactInDecodedBytes) {
  const std::string longest(256, 'x');
  EXPECT_EQ(json_refusal("[\"" + longest + "\"]"), "accepted");
  EXPECT_NE(json_refusal("[\"" + longest + "x\"]").find("a string is longer"), std::string::npos);
  EXPECT_NE(json_refusal("{\"" + longest + "x\":1}").find("a key is longer"), std::string::npos);
  EXPECT_EQ(json_refusal("[\"" + repeated("\\u0078", 256) + "\"]"), "accepted");
}

TEST(JsonGuard, ByteLimitIsCheckedFirst) {
  JsonLimits limits;
  limits.max_bytes = 3;
  EXPECT_EQ(json_refusal("[1]", limits), "accepted");
  EXPECT_NE(json_refusal("[12]", limits).find("longer than 3 bytes"), std::string::npos);
}

TEST(JsonGuard, RefusesNumbersBeyondDouble) {
  EXPECT_NE(json_refusal("[1e999]").find("too large"), std::string::npos);
  EXPECT_NE(json_refusal("[-1e400]").find("too large"), std::string::npos);
  EXPECT_EQ(json_refusal("[1e308,1e-999]"), "accepted");
  EXPECT_NE(json_refusal("[0." + std::string(300, '1') + "]").find("a number is longer"), std::string::npos);
}

TEST(JsonGuard, RefusesWhateverIsNotJson) {
  for (const std::string_view text : {"",
                                      " ",
                                      "[",
                                      "]",
                                      "{",
                                      "[1,]",
                                      "{\"a\"}",
                                      "[NaN]",
                                      "[Infinity]",
                                      "[01]",
                                      "[+1]",
                                      "[.5]",
                                      "['a']",
                                      "[1] x",
                                      "[1][2]",
                                      "{} {}",
                                      "// c\n[1]",
                                      "[1] // c",
                                      "[\"\t\"]",
                                      "[\"\\x\"]",
                                      "[\"\\ud800\"]",
                                      "[\"\\udc00\\ud800\"]",
                                      "nul",
                                      R"(["a\u0000b"])",
                                      "\"a",
                                      "[\"\xC0\xAF\"]",
                                      "[\"\xED\xA0\x80\"]",
                                      "[\"\xF5\x80\x80\x80\"]",
                                      "[\"\xFF\"]",
                                      "[\"\x80\"]",
                                      "[\"\xE2\x82\"]"})
    EXPECT_NE(json_refusal(text), "accepted") << text;
}

TEST(JsonGuard, RefusesTextHiddenBehindAZeroByte) {
  EXPECT_NE(json_refusal(std::string_view("[1]\0[2]", 7)).find("at byte 3"), std::string::npos);
  EXPECT_NE(json_refusal(std::string_view("[1]\0", 4)), "accepted");
  EXPECT_NE(json_refusal(std::string_view("[\"a\0\"]", 6)), "accepted");
}

}  // namespace
}  // namespace gpuassay
