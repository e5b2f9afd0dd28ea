#include "agent/workloads/output_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace gpuassay {
namespace {

TEST(ReferenceValue, SumsProductsAndTheirMagnitudes) {
  ReferenceValue value;
  value.add(2, 3);
  value.add(-4, 5);
  EXPECT_EQ(value.want, -14);
  EXPECT_EQ(value.sum_abs, 26);
}

TEST(OutputCheck, ErrorIsRelativeToTheSumOfMagnitudes) {
  OutputCheck check({1e-3, 0, false});
  check.compare(1.5, {1.0, 1000.0});
  const Verification result = check.result();
  EXPECT_DOUBLE_EQ(result.max_error, 0.0005);
  EXPECT_TRUE(result.passed);
  EXPECT_EQ(result.error_kind, "relative_to_sum_abs");
}

TEST(OutputCheck, OneWrongElementAmongManyFails) {
  OutputCheck check(kFp32Output);
  for (int i = 0; i < 100; ++i) check.compare(i, {static_cast<double>(i), 100.0});
  check.compare(7.001, {7.0, 100.0});
  check.compare(3, {3.0, 100.0});
  EXPECT_FALSE(check.result().passed);
  EXPECT_EQ(check.result().positions, 102);
}

TEST(OutputCheck, IntegersMustBeEqual) {
  OutputCheck check(kInt32Output);
  check.compare(1'000'000'001, {1'000'000'000.0, 1e12});
  EXPECT_FALSE(check.result().passed);
  EXPECT_EQ(check.result().max_error, 1);
  EXPECT_EQ(check.result().error_kind, "absolute");
}

TEST(OutputCheck, Bfloat16OutputMayLoseItsEighthSignificantBitOnly) {
  OutputCheck rounded(kBfloat16Output);
  rounded.compare(1.0 + 0x1p-8, {1.0, 10.0});
  EXPECT_TRUE(rounded.result().passed);
  OutputCheck wrong(kBfloat16Output);
  wrong.compare(1.0 + 0x1.1p-8, {1.0, 10.0});
  EXPECT_FALSE(wrong.result().passed);
}

TEST(OutputCheck, NotANumberAndInfinityFailWithAFiniteError) {
  for (const double got : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    OutputCheck check(kFp32Output);
    check.compare(got, {1.0, 1.0});
    EXPECT_FALSE(check.result().passed);
    EXPECT_TRUE(std::isfinite(check.result().max_error));
  }
}

TEST(OutputCheck, AnElementWithoutProductsMustBeZero) {
  OutputCheck right(kFp32Output), wrong(kFp32Output);
  right.compare(0, {0, 0});
  wrong.compare(1e-30, {0, 0});
  EXPECT_TRUE(right.result().passed);
  EXPECT_FALSE(wrong.result().passed);
}

TEST(OutputCheck, NothingComparedIsNotPassed) { EXPECT_FALSE(OutputCheck(kFp32Output).result().passed); }

TEST(SampledPositions, AllOfASmallOutput) {
  const auto positions = sampled_positions(5, {0, 4});
  EXPECT_EQ(positions, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
}

TEST(SampledPositions, AtLeast64DistinctOnesInsideWithThoseAskedFor) {
  for (const std::int64_t total : {65, 70, 1000, 1'000'000'000}) {
    const auto positions = sampled_positions(total, {0, total - 1, total, -1});
    const std::set<std::int64_t> distinct(positions.begin(), positions.end());
    EXPECT_EQ(distinct.size(), positions.size());
    EXPECT_GE(positions.size(), 64U);
    EXPECT_EQ(distinct.count(0) + distinct.count(total - 1), 2U);
    EXPECT_GE(*distinct.begin(), 0);
    EXPECT_LT(*distinct.rbegin(), total);
  }
}

}  // namespace
}  // namespace gpuassay
