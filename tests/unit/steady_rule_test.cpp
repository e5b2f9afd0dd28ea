#include "agent/steady_rule.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace gpuassay {
namespace {

constexpr std::int64_t kSteadyMs = 1'000'000;
constexpr std::int64_t kLongestNs = 8'000 * kSteadyMs;

/// Ten samples of 100 ms a second, all with the time per operation and the temperature of that second.
struct Second {
  double operation_ns = 0;
  std::optional<double> temperature_c = {};
};

struct Fed {
  std::optional<StopReason> reason;
  int samples = 0;
};

std::optional<double> no_thermometer() { return std::nullopt; }

Fed feed(SteadyRule& rule, std::initializer_list<Second> seconds) {
  Fed fed;
  for (const Second& second : seconds) {
    for (int i = 0; i < 10 && !fed.reason; ++i) {
      fed.reason = rule.add(second.operation_ns, 100 * kSteadyMs, [&] { return second.temperature_c; });
      ++fed.samples;
    }
  }
  return fed;
}

TEST(SteadyRule, ThreeSecondsAlikeAreSteady) {
  SteadyRule rule(kLongestNs);
  const Fed fed = feed(rule, {{100}, {100}, {100}, {100}});
  EXPECT_EQ(fed.reason, StopReason::noise_stable);
  EXPECT_EQ(fed.samples, 30);
  EXPECT_EQ(rule.elapsed_ns(), 3'000 * kSteadyMs);
  EXPECT_EQ(rule.last_samples_ns().size(), 30u);
}

TEST(SteadyRule, LoadThatOthersCountOnGoesOnThoughItHasSettled) {
  SteadyRule rule(kLongestNs, kLongestNs);
  EXPECT_FALSE(feed(rule, {{100}, {100}, {100}, {100}}).reason);
  EXPECT_TRUE(rule.settled());
  EXPECT_EQ(feed(rule, {{100}, {100}, {120}, {120}}).reason, StopReason::time_limit);
  EXPECT_FALSE(rule.settled()) << "what it came to at the end counts";
  EXPECT_EQ(rule.elapsed_ns(), kLongestNs);
}

TEST(SteadyRule, AFallingClockIsFollowedToItsFloor) {
  // A B200 under its power limit: the first second is the fast one.
  SteadyRule rule(kLongestNs);
  const Fed fed = feed(rule, {{100}, {110}, {118}, {120}, {120.2}, {120.4}, {120}});
  EXPECT_EQ(fed.reason, StopReason::noise_stable);
  EXPECT_EQ(fed.samples, 60);
  EXPECT_EQ(rule.last_samples_ns().front(), 120) << "the burst before is not in it";
}

TEST(SteadyRule, OneThatNeverSettlesEndsWithItsTimeAndItsLastSeconds) {
  SteadyRule rule(kLongestNs);
  const Fed fed = feed(rule, {{100}, {103}, {106}, {109}, {112}, {115}, {118}, {121}, {124}});
  EXPECT_EQ(fed.reason, StopReason::time_limit);
  EXPECT_EQ(fed.samples, 80);
  EXPECT_EQ(rule.last_samples_ns().front(), 115);
  EXPECT_EQ(rule.last_samples_ns().back(), 121);
}

TEST(SteadyRule, SteadyTimesOfAGpuThatStillHeatsUpAreNotSteady) {
  SteadyRule rule(kLongestNs);
  const Fed fed = feed(rule, {{100, 50}, {100, 54}, {100, 57}, {100, 59}, {100, 60}, {100, 60}, {100, 60}});
  EXPECT_EQ(fed.reason, StopReason::noise_stable);
  EXPECT_EQ(fed.samples, 60) << "59, 60, 60: within a degree";
}

TEST(SteadyRule, AThrottleThatComesLateMovesTheFigure) {
  SteadyRule rule(60'000 * kSteadyMs);  // windows of 3.75 s
  Fed fed;
  for (int second = 0; second < 60 && !fed.reason; ++second) {
    const bool hot = second >= 10;
    const Fed more = feed(rule, {{hot ? 140.0 : 100.0, hot ? 90.0 : 60.0 + 3 * second}});
    fed.reason = more.reason;
    fed.samples += more.samples;
  }
  EXPECT_EQ(fed.reason, StopReason::noise_stable);
  EXPECT_GT(rule.elapsed_ns(), 20'000 * kSteadyMs) << "60 to 87 degrees is no steady state, however even the times";
  EXPECT_EQ(rule.last_samples_ns().front(), 140);
}

TEST(SteadyRule, NoiseWithinASecondIsNoChange) {
  SteadyRule rule(kLongestNs);
  std::optional<StopReason> reason;
  int samples = 0;
  while (!reason) reason = rule.add(samples++ % 2 == 0 ? 90 : 110, 50 * kSteadyMs, no_thermometer);
  EXPECT_EQ(reason, StopReason::noise_stable);
  EXPECT_EQ(samples, 60);
}

TEST(SteadyRule, AnOperationLongerThanTheLoadHasOneSample) {
  SteadyRule rule(3'000 * kSteadyMs);
  EXPECT_EQ(rule.add(5e9, 5'000 * kSteadyMs, no_thermometer), StopReason::time_limit);
  EXPECT_EQ(rule.last_samples_ns().size(), 1u);
}

}  // namespace
}  // namespace gpuassay
