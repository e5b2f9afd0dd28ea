#include "agent/watch_schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace gpuassay {
namespace {

constexpr double kHourS = 3600, kDayS = 24 * kHourS;
/// Minus its logarithm is 1: a pause is then its mean.
const double kMean = std::exp(-1.0);

TEST(WatchSchedule, AHundredthOfTheTimeOrWhatTheMoneyBuys) {
  EXPECT_DOUBLE_EQ(probing_limit_s(kDayS, {}), 864);
  EXPECT_DOUBLE_EQ(probing_limit_s(kHourS / 2, {}), kLeastProbingS);
  EXPECT_DOUBLE_EQ(probing_limit_s(kDayS, 3600), 3600);
  EXPECT_DOUBLE_EQ(probing_limit_s(kDayS, 12), 12);
  // However much it may cost, half the time is the renter's.
  EXPECT_DOUBLE_EQ(probing_limit_s(36, {}), 18);
  EXPECT_DOUBLE_EQ(probing_limit_s(36, 1e6), 18);
}

TEST(WatchSchedule, TheFirstProbeComesSoon) {
  EXPECT_DOUBLE_EQ(first_pause_s(kDayS, 1), 0);
  EXPECT_DOUBLE_EQ(first_pause_s(kDayS, kMean), 5);
  EXPECT_DOUBLE_EQ(first_pause_s(kDayS, 1e-16), 20);
  EXPECT_DOUBLE_EQ(first_pause_s(36, 1e-16), 9);
}

TEST(WatchSchedule, WhatIsLeftOfTheLimitIsSpreadOverWhatIsLeftOfTheTime) {
  // 216 probes of 4 s in a day: (86400 - 864) / 216.
  EXPECT_NEAR(next_pause_s({kDayS, 864, 4}, kMean).value(), 396, 1e-9);
  EXPECT_NEAR(next_pause_s({kDayS, 864, 2}, kMean).value(), 198, 1e-9);
  EXPECT_NEAR(next_pause_s({kHourS, 864, 4}, kMean).value(), 12.6667, 1e-3);
  EXPECT_DOUBLE_EQ(next_pause_s({kDayS, 864, 4}, 1).value(), 0);
}

TEST(WatchSchedule, NoProbeThatTheLimitOrTheTimeHasNoPlaceFor) {
  EXPECT_FALSE(next_pause_s({kDayS, 3.9, 4}, kMean));
  EXPECT_FALSE(next_pause_s({kDayS, -1, 4}, kMean));
  EXPECT_FALSE(next_pause_s({3, 100, 4}, 1));
  EXPECT_FALSE(next_pause_s({-5, 100, 4}, 1));
  // The machine was suspended until after the end.
  EXPECT_FALSE(next_pause_s({-1e6, 100, 4}, kMean));
}

/// A day of probes that take 3 to 5 s.
TEST(WatchSchedule, ADayHoldsItsLimitAndUsesIt) {
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): the same days each time
  std::uniform_real_distribution<double> uniform(1e-9, 1);
  for (int day = 0; day < 200; ++day) {
    double elapsed_s = first_pause_s(kDayS, uniform(random));
    double probing_s = 0, longest_pause_s = 0, shortest_pause_s = kDayS;
    int probes = 0;
    while (true) {
      const double took_s = 3 + 2 * uniform(random);
      elapsed_s += took_s;
      probing_s += took_s;
      ++probes;
      const auto pause_s = next_pause_s({kDayS - elapsed_s, 864 - probing_s, probing_s / probes}, uniform(random));
      if (!pause_s) break;
      longest_pause_s = std::max(longest_pause_s, *pause_s);
      shortest_pause_s = std::min(shortest_pause_s, *pause_s);
      elapsed_s += *pause_s;
    }
    EXPECT_LE(probing_s, 864 + 2);  // the last one may take longer than the mean
    EXPECT_GT(probing_s, 600);
    EXPECT_LE(elapsed_s, kDayS + 2);
    EXPECT_GT(longest_pause_s, 100 * shortest_pause_s) << "a host could foresee the probes";
  }
}

}  // namespace
}  // namespace gpuassay
