#include "collector/query_string.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace gpuassay {
namespace {

QueryString parse(std::string_view text) { return {text, {"gpu_model", "limit", "since", "all", "score"}}; }

TEST(QueryStringTest, DecodesNamesAndValues) {
  const auto query = parse("gpu_model=Tesla%20V100+32&limit=5&since=2026-01-02&all=true&score=1.5");
  EXPECT_EQ(query.text("gpu_model"), "Tesla V100 32");
  EXPECT_EQ(query.integer("limit", 1, 10), 5);
  EXPECT_EQ(query.instant_ms("since"), 1'767'312'000'000);
  EXPECT_TRUE(query.flag("all"));
  EXPECT_EQ(query.number("score", 0, 2), 1.5);
}

TEST(QueryStringTest, WhatIsNotThereIsEmpty) {
  const auto query = parse("&limit=1&&");
  EXPECT_EQ(query.text("gpu_model"), std::nullopt);
  EXPECT_EQ(query.instant_ms("since"), std::nullopt);
  EXPECT_FALSE(query.flag("all"));
}

TEST(QueryStringTest, RefusesWhatIsWrong) {
  for (const char* text : {"colour=red", "limit=1&limit=2", "gpu_model=%", "gpu_model=%4", "gpu_model=%zz",
                           "gpu_model=%ff", "gpu_model=%00", "gpu_model=a%0Ab", "gpu_model=", "limit", "="})
    EXPECT_THROW(parse(text), Error) << text;
  EXPECT_THROW(parse("gpu_model=" + std::string(600, 'a')), Error);
  for (const char* text : {"limit=0", "limit=11", "limit=1e1", "limit=x", "limit=99999999999999999999"})
    EXPECT_THROW((void)parse(text).integer("limit", 1, 10), Error) << text;
  EXPECT_THROW((void)parse("since=soon").instant_ms("since"), Error);
  EXPECT_THROW((void)parse("all=1").flag("all"), Error);
  for (const char* text : {"score=nan", "score=inf", "score=-1", "score=3", "score=1x"})
    EXPECT_THROW((void)parse(text).number("score", 0, 2), Error) << text;
}

}  // namespace
}  // namespace gpuassay
