#include "agent/backends/candidate_trial.h"

#include <gtest/gtest.h>

#include <functional>
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

/// A device whose clock falls to seven tenths once it has run for a while: the first one tried has the best single run.
struct PowerLimited {
  std::vector<std::int64_t> times_ns;
  int runs = 0;
  std::optional<std::int64_t> operator()(std::size_t i) {
    const bool cold = runs++ == 0;
    return cold ? times_ns[i] * 7 / 10 : times_ns[i];
  }
};

TEST(CandidateTrial, AFinalIsDecidedByMedians) {
  TrialLimits limits;
  PowerLimited device{{110, 100, 120}};
  EXPECT_EQ(fastest_candidate(3, std::ref(device), limits), 0U) << "the only run at the high clock";
  limits.final_turns = 5;
  device.runs = 0;
  EXPECT_EQ(fastest_candidate(3, std::ref(device), limits), 1U);
}

TEST(CandidateTrial, TheFinalHasFewTurnsAndFewCandidates) {
  Fixed many{{150, 100, 101, 102, 103, 104}};
  TrialLimits limits;
  limits.final_turns = 7;
  EXPECT_EQ(many.fastest(limits), 1U);
  EXPECT_EQ(many.runs, (std::vector<int>{5, 12, 12, 12, 12, 5}));
  Fixed slow{{100, 101}};
  limits.final_budget_ns = 150;
  EXPECT_EQ(slow.fastest(limits), 0U);
  EXPECT_EQ(slow.runs, (std::vector<int>{6, 6}));
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
