#include "collector/repeated_problems.h"

#include <gtest/gtest.h>

#include <vector>

namespace gpuassay {
namespace {

class RepeatedProblemsTest : public testing::Test {
 protected:
  std::vector<std::string> lines_;
  std::int64_t now_ms_ = 1'000;
  RepeatedProblems problems_{[this](std::string_view line) { lines_.emplace_back(line); }, [this] { return now_ms_; }};
};

TEST_F(RepeatedProblemsTest, WhatEveryRequestMeetsIsSaidNowAndThen) {
  for (int request = 0; request < 1'000; ++request) problems_.say("the disk is full");
  problems_.say("another");
  EXPECT_EQ(lines_, (std::vector<std::string>{"the disk is full", "another"}));
  now_ms_ += RepeatedProblems::kPauseMs;
  problems_.say("the disk is full");
  problems_.say("another");
  EXPECT_EQ(lines_.at(2), "the disk is full (and 999 times more since it was last said)");
  EXPECT_EQ(lines_.at(3), "another");
}

TEST_F(RepeatedProblemsTest, ManyKindsTakeLittleMemory) {
  for (int kind = 0; kind < 1'000; ++kind) problems_.say(std::to_string(kind));
  EXPECT_EQ(lines_.size(), RepeatedProblems::kMostKinds + 1);
  now_ms_ += RepeatedProblems::kPauseMs;
  problems_.say("new");
  EXPECT_EQ(lines_.back(), "new") << "those that are over are forgotten";
}

}  // namespace
}  // namespace gpuassay
