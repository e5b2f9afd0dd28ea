#include "core/requirement.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace gpuassay {
namespace {

Result some_result() {
  Result result;
  result.summary.instance.gemm_tflop_per_s["fp16"] = {312.5, std::nullopt};
  result.summary.instance.bandwidth_gb_per_s["triad"] = {1500.0, 1400.0};
  result.summary.instance.latency_us["graph_launch"] = {1.2, std::nullopt};
  result.score.value = 98.5;
  result.score.fraction_of_expected = 0.87;
  return result;
}

bool met(const char* text) { return check_requirement(parse_requirement(text), some_result()).met; }

std::string refusal(const char* text) {
  try {
    parse_requirement(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
  return "";
}

TEST(Requirement, EveryComparison) {
  EXPECT_TRUE(met("score.value>=98.5"));
  EXPECT_FALSE(met("score.value>98.5"));
  EXPECT_TRUE(met("score.value>98.4"));
  EXPECT_TRUE(met("score.value<=98.5"));
  EXPECT_FALSE(met("score.value<98.5"));
  EXPECT_TRUE(met("score.value<1e3"));
  EXPECT_TRUE(met("score.value==98.5"));
  EXPECT_FALSE(met("score.value==98"));
}

TEST(Requirement, TheLastPartsOfAPathAreEnough) {
  EXPECT_FALSE(met("fraction_of_expected>=0.9"));
  EXPECT_TRUE(met(" score.fraction_of_expected >= 0.8 "));
  EXPECT_TRUE(met("gemm_tflop_per_s.fp16.burst>=300"));
  EXPECT_TRUE(met("summary.instance.gemm_tflop_per_s.fp16.burst>=300"));
  EXPECT_TRUE(met("triad.sustained>=1400"));
  EXPECT_TRUE(met("graph_launch.burst<2"));
}

TEST(Requirement, WhatTheResultLacksSatisfiesNothing) {
  EXPECT_FALSE(met("score_per_usd_hour>=0"));
  EXPECT_FALSE(met("score_per_usd_hour<1e9"));
  EXPECT_FALSE(met("gemm_tflop_per_s.fp16.sustained>=0"));
  EXPECT_FALSE(met("gemm_tflop_per_s.fp8_e4m3.burst>=0"));
  EXPECT_EQ(unmet_requirements({parse_requirement("conv_tflop_per_s.fp16.burst>=1")}, some_result()),
            std::vector<std::string>{"required conv_tflop_per_s.fp16.burst>=1: not met, this result has no "
                                     "summary.instance.conv_tflop_per_s.fp16.burst"});
}

TEST(Requirement, OnlyTheUnmetAreTold) {
  const std::vector<Requirement> all{parse_requirement("value>=1"), parse_requirement("fraction_of_expected>=0.9")};
  EXPECT_EQ(
      unmet_requirements(all, some_result()),
      std::vector<std::string>{"required fraction_of_expected>=0.9: not met, score.fraction_of_expected is 0.87"});
}

TEST(Requirement, WhatCannotBeMeantIsRefusedInOneLine) {
  EXPECT_EQ(refusal("gemm_tflop_per_s"),
            "--require 'gemm_tflop_per_s': write a figure, >=, >, <=, < or ==, and a number");
  EXPECT_EQ(refusal("score.value=1"), "--require 'score.value=1': a comparison is one of >=, >, <=, <, ==");
  EXPECT_EQ(refusal("score.value>="), "--require 'score.value>=': '' is no number");
  EXPECT_EQ(refusal("score.value>=fast"), "--require 'score.value>=fast': 'fast' is no number");
  EXPECT_EQ(refusal("score.value>=0.9x"), "--require 'score.value>=0.9x': '0.9x' is no number");
  EXPECT_EQ(refusal("score.value>=nan"), "--require 'score.value>=nan': 'nan' is no number");
  EXPECT_EQ(refusal("score.value>=1e999"), "--require 'score.value>=1e999': '1e999' is no number");
  EXPECT_EQ(refusal("value>=<1"), "--require 'value>=<1': '<1' is no number");
  EXPECT_NE(refusal("fp16.burst>=1").find("'fp16.burst' could be summary.instance.gemm_tflop_per_s.fp16.burst, "),
            std::string::npos);
  EXPECT_NE(refusal("16.burst>=1").find("no result has '16.burst'"), std::string::npos);
  EXPECT_NE(refusal(">=1").find("no result has ''; there are score.value, "), std::string::npos);
  EXPECT_NE(refusal("bandwidth_gb_per_s.tirad.burst>=1").find("bandwidth_gb_per_s.copy.burst"), std::string::npos);
  EXPECT_NE(refusal("trait>=1").find("no result has 'trait'"), std::string::npos);
  EXPECT_EQ(refusal("gemm_tflop_per_s.fp17.burst>=1").find('\n'), std::string::npos);
}

}  // namespace
}  // namespace gpuassay
