#include "agent/backends/candidate_trial.h"

#include <gtest/gtest.h>

#include <vector>

namespace gpuassay {
namespace {

/// Candidates with the given times; `runs` counts.
struct Fixed {
  std::vector<std::int64_t> times_ns;
  std::vector<int> runs = std::vector<int>(times_ns.size(), 0);

  std::optional<std::size_t> fastest(const TrialLimits& limits) {
    return fastest_candidate(
        times_ns.size(),
        [this](std::size_t i) -> std::optional<std::int64_t> {
          ++runs[i];
          if (times_ns[i] < 0) return std::nullopt;
          return times_ns[i];
        },
        limits);
  }
};

TEST(CandidateTrial, NothingToChoose) {
  Fixed none{{}};
  EXPECT_EQ(none.fastest({}), std::nullopt);
  Fixed one{{100}};
  EXPECT_EQ(one.fastest({}), 0U);
  EXPECT_EQ(one.runs[0], 0) << "a single candidate is not run";
}

TEST(CandidateTrial, TheFastestWins) {
  Fixed three{{120, 100, 110}};
  EXPECT_EQ(three.fastest({}), 1U);
  EXPECT_EQ(three.runs, (std::vector<int>{5, 5, 5}));
}

TEST(CandidateTrial, OneDisturbedRunDoesNotDecide) {
  int run = 0;
  const auto disturbed_once = [&](std::size_t i) -> std::optional<std::int64_t> {
    return i == 0 && run++ == 0 ? 250 : i == 0 ? 100 : 110;
  };
  EXPECT_EQ(fastest_candidate(2, disturbed_once, {}), 0U);
}

TEST(CandidateTrial, TheHopelessGetNoSecondTurn) {
  Fixed two{{100, 1000}};
  EXPECT_EQ(two.fastest({}), 0U);
  EXPECT_EQ(two.runs[1], 1);
}

TEST(CandidateTrial, ThoseThatRefuseAreLeftOut) {
  Fixed some{{-1, 200, -1}};
  EXPECT_EQ(some.fastest({}), 1U);
  EXPECT_EQ(some.runs[0], 1);
  Fixed none{{-1, -1}};
  EXPECT_EQ(none.fastest({}), std::nullopt);
}

TEST(CandidateTrial, ShortOnesFillTheBudget) {
  Fixed two{{100, 110}};
  TrialLimits limits;
  limits.budget_ns = 2100;
  EXPECT_EQ(two.fastest(limits), 0U);
  EXPECT_EQ(two.runs[0], 10);
}

TEST(CandidateTrial, LongOnesAreRunTwice) {
  Fixed two{{60'000'000, 70'000'000}};
  EXPECT_EQ(two.fastest({}), 0U);
  EXPECT_EQ(two.runs, (std::vector<int>{2, 2}));
}

TEST(CandidateTrial, TheLimitEndsTheFirstTurnAfterTwo) {
  Fixed four{{-1, 100, 90, 10}};
  TrialLimits limits;
  limits.max_ns = 50;
  EXPECT_EQ(four.fastest(limits), 2U);
  EXPECT_EQ(four.runs, (std::vector<int>{1, 1, 1, 0}));
}

}  // namespace
}  // namespace gpuassay
