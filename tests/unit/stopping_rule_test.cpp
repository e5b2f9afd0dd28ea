#include "agent/stopping_rule.h"

#include <gtest/gtest.h>

namespace gpuassay {
namespace {

constexpr std::int64_t kMs = 1'000'000;

TEST(StoppingRule, StopsOnLowNoiseOnlyAfterMinimumSamplesAndTime) {
  StoppingRule rule({5, 1000, 20 * kMs, 1000 * kMs});
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(rule.add(3e6, 3 * kMs));
  EXPECT_FALSE(rule.add(3e6, 3 * kMs)) << "five samples, but only 15 ms";
  EXPECT_FALSE(rule.add(3e6, 3 * kMs));
  EXPECT_EQ(rule.add(3e6, 3 * kMs), StopReason::noise_reached);
  EXPECT_EQ(rule.samples_ns().size(), 7u);
  EXPECT_EQ(rule.elapsed_ns(), 21 * kMs);
}

TEST(StoppingRule, ASlowOperationStillGetsItsFiveSamples) {
  StoppingRule rule({5, 1000, 20 * kMs, 100 * kMs});
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(rule.add(2e8 + 1e8 * i, 200 * kMs));
  EXPECT_EQ(rule.add(2e8, 200 * kMs), StopReason::time_limit);
}

TEST(StoppingRule, TimeLimitEndsANoisyCase) {
  StoppingRule rule({5, 1000, 20 * kMs, 60 * kMs});
  std::optional<StopReason> reason;
  int samples = 0;
  while (!reason) reason = rule.add(samples++ % 2 == 0 ? 9e6 : 11e6, 10 * kMs);
  EXPECT_EQ(reason, StopReason::time_limit);
  EXPECT_EQ(samples, 6);
}

TEST(StoppingRule, StopsWhenANoisyCaseGetsNoBetter) {
  StoppingRule rule({5, 100000, 1, 1'000'000 * kMs});
  int samples = 0;
  std::optional<StopReason> reason;
  while (!reason && samples < 1000) reason = rule.add(samples++ % 2 == 0 ? 90 : 110, 1);
  EXPECT_EQ(reason, StopReason::noise_stable);
  EXPECT_EQ(samples, 80) << "five looks, every 16 samples, span a window of 64";
}

TEST(StoppingRule, GoesOnWhileTheNoiseStillChanges) {
  StoppingRule rule({5, 96, 1, 1'000'000 * kMs});
  int samples = 0;
  std::optional<StopReason> reason;
  double spread = 1;
  while (!reason && samples < 1000) {
    reason = rule.add(1000 + (samples % 2 == 0 ? -spread : spread), 1);
    spread *= 1.06;
    ++samples;

    if (reason == StopReason::noise_reached) reason.reset();
  }
  EXPECT_EQ(reason, StopReason::sample_limit);
  EXPECT_EQ(samples, 96);
}

}  // namespace
}  // namespace gpuassay
