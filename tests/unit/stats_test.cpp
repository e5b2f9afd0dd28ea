#include "core/stats.h"

#include <gtest/gtest.h>

#include <cmath>

#include <numeric>

namespace gpuassay {
namespace {

TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 1.0), 4);
  EXPECT_DOUBLE_EQ(quantile({7}, 0.9), 7);
}

TEST(Median, OddAndEvenCounts) {
  EXPECT_DOUBLE_EQ(median({5, 1, 9}), 5);
  EXPECT_DOUBLE_EQ(median({5, 1, 9, 7}), 6);
}

TEST(Noise, IsTheMedianDeviationOverTheMedian) {
  EXPECT_DOUBLE_EQ(noise({10, 10, 10}), 0);
  EXPECT_DOUBLE_EQ(noise({90, 100, 110, 100, 100}), 0);
  EXPECT_DOUBLE_EQ(noise({90, 100, 120}), 0.1);
  EXPECT_DOUBLE_EQ(noise({100}), 0);
}

TEST(Noise, OneOutlierDoesNotMoveIt) { EXPECT_DOUBLE_EQ(noise({99, 100, 101, 100, 5000}), 0.01); }

TEST(RelativeHalfIqr, SeesTwoAlternatingSpeeds) {
  EXPECT_DOUBLE_EQ(relative_half_iqr({90, 110, 90, 110, 90}), 10.0 / 90);
  EXPECT_DOUBLE_EQ(relative_half_iqr({100, 100, 100, 500}), 0.5) << "one outlier of four still shows";
  EXPECT_DOUBLE_EQ(relative_half_iqr({100, 100, 100, 100, 500}), 0);
}

TEST(Thin, KeepsFewSamplesAsTheyAre) { EXPECT_EQ(thin({3, 1, 2}, 3), (std::vector<double>{3, 1, 2})); }

TEST(Thin, KeepsQuantilesOfMany) {
  std::vector<double> samples(1001);
  std::iota(samples.begin(), samples.end(), 1.0);
  const std::vector<double> kept = thin(samples);
  ASSERT_EQ(kept.size(), std::size_t{kMaxStoredSamples});
  EXPECT_NEAR(median(kept), 501, 8);
  EXPECT_NEAR(quantile(kept, 0.25), 251, 16);
  EXPECT_EQ(thin({9, 1, 5, 3}, 2), (std::vector<double>{3, 5}));
}

TEST(Thin, FavoursNeitherSide) {
  std::vector<double> two_speeds(15, 1.0);
  two_speeds.insert(two_speeds.end(), 15, 2.0);
  EXPECT_DOUBLE_EQ(median(thin(two_speeds, 15)), 1.5);
  EXPECT_DOUBLE_EQ(median(thin(two_speeds, 16)), 1.5);
}

TEST(RoundSignificant, SixDigits) {
  EXPECT_EQ(round_significant(123456.7, 6), 123457);
  EXPECT_EQ(round_significant(0.00012345678, 6), 0.000123457);
  EXPECT_EQ(round_significant(-2.5, 1), -2);  // a tie of the binary value goes to even
  EXPECT_EQ(round_significant(0, 6), 0);
}

TEST(GeometricMean, IsTheRootOfTheProduct) {
  EXPECT_EQ(geometric_mean({7.25}), 7.25);
  EXPECT_DOUBLE_EQ(geometric_mean({2, 8}), 4);
  EXPECT_DOUBLE_EQ(geometric_mean({1, 3, 9}), 3);
  EXPECT_DOUBLE_EQ(geometric_mean({0.001, 0.004}), 0.002);
  EXPECT_NEAR(geometric_mean({1e90, 1e-90, 1e60}), 1e20, 1e8);
  std::vector<double> many;
  double logarithms = 0;
  for (int i = 1; i <= 64; ++i) {
    many.push_back(i * i / 7.0);
    logarithms += std::log(many.back());
  }
  EXPECT_NEAR(geometric_mean(many), std::exp(logarithms / 64), 1e-11);
}

}  // namespace
}  // namespace gpuassay
