#include "agent/workloads/random_inputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace gpuassay {
namespace {

constexpr std::size_t kCount = std::size_t{1} << 18;

RandomInputs make_inputs() {
  return RandomInputs([](std::size_t count, const auto& body) { body(0, count); }, kCount);
}

TEST(NormalQuantile, KnownValues) {
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-12);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-9);
  EXPECT_NEAR(normal_quantile(0.0001), -3.719016485455709, 1e-9);
  EXPECT_NEAR(normal_quantile(0.8413447460685429), 1.0, 1e-9);
}

TEST(RandomInputs, AreNormalWithMeanZeroAndDeviationOne) {
  const RandomInputs inputs = make_inputs();
  std::vector<float> values(kCount);
  inputs.fill_f32(values, 1);
  double sum = 0, squares = 0, fourth = 0;
  for (const float x : values) {
    sum += x;
    squares += double{x} * x;
    fourth += double{x} * x * x * x;
  }
  const double n = static_cast<double>(kCount);
  EXPECT_NEAR(sum / n, 0, 0.01);       // standard error 0.002
  EXPECT_NEAR(squares / n, 1, 0.015);  // 0.003
  EXPECT_NEAR(fourth / n, 3, 0.15);    // a normal distribution's fourth moment
  const auto within = std::count_if(values.begin(), values.end(), [](float x) { return std::fabs(x) < 1; });
  EXPECT_NEAR(static_cast<double>(within) / n, 0.6827, 0.005);
}

TEST(RandomInputs, AreTheSameEveryTimeAndDifferPerStream) {
  std::vector<float> first(1000), again(1000), other(1000);
  make_inputs().fill_f32(first, 1);
  make_inputs().fill_f32(again, 1);
  make_inputs().fill_f32(other, 2);
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
}

TEST(RandomInputs, DoNotDependOnHowTheLoopIsSplit) {
  const RandomInputs whole = make_inputs();
  const RandomInputs split(
      [](std::size_t count, const auto& body) {
        body(count / 3, count);
        body(0, count / 3);
      },
      kCount);
  std::vector<float> one(kCount * 2 + 5), two(kCount * 2 + 5);  // longer than the pool: it repeats
  whole.fill_f32(one, 9);
  split.fill_f32(two, 9);
  EXPECT_EQ(one, two);
  EXPECT_EQ(one[3], one[3 + kCount]);
}

TEST(RandomInputs, EightBitOperandsStayInTheirRanges) {
  const RandomInputs inputs = make_inputs();
  std::vector<std::uint8_t> u8(kCount);
  std::vector<std::int8_t> s8(kCount);
  inputs.fill_u8(u8, 1);
  inputs.fill_s8(s8, 1);
  EXPECT_EQ(*std::max_element(u8.begin(), u8.end()), 127);
  EXPECT_EQ(*std::min_element(u8.begin(), u8.end()), 0);
  EXPECT_EQ(*std::max_element(s8.begin(), s8.end()), 64);
  EXPECT_EQ(*std::min_element(s8.begin(), s8.end()), -64);
  double sum = 0;
  for (const std::int8_t x : s8) sum += x;
  EXPECT_NEAR(sum / static_cast<double>(kCount), 0, 0.3);
}

TEST(RandomInputs, Bfloat16ValuesAreTheRoundedFloats) {
  const RandomInputs inputs = make_inputs();
  std::vector<float> floats(100);
  std::vector<Bfloat16> rounded(100);
  inputs.fill_f32(floats, 4);
  inputs.fill_bf16(rounded, 4);
  for (std::size_t i = 0; i < floats.size(); ++i) EXPECT_EQ(rounded[i].bits, bfloat16_from(floats[i]).bits);
}

}  // namespace
}  // namespace gpuassay
