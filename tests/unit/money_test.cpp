#include "core/money.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"

namespace gpuassay {
namespace {

TEST(Money, ReadsPlainDecimals) {
  EXPECT_EQ(parse_micros("0"), 0);
  EXPECT_EQ(parse_micros("1.72"), 1'720'000);
  EXPECT_EQ(parse_micros("12660"), 12'660'000'000);
  EXPECT_EQ(parse_micros("0.000001"), 1);
  EXPECT_EQ(parse_micros("007.50"), 7'500'000);
  EXPECT_EQ(parse_decimal("19853.81"), (Decimal{1985381, 2}));
}

TEST(Money, RoundsOnceHalfToEvenBeyondSixPlaces) {
  EXPECT_EQ(parse_micros("0.0000005"), 0);          // tie, 0 is even
  EXPECT_EQ(parse_micros("0.0000015"), 2);          // tie, 2 is even
  EXPECT_EQ(parse_micros("0.0000025"), 2);          // tie, 2 is even
  EXPECT_EQ(parse_micros("0.00000250000001"), 3);   // above the tie
  EXPECT_EQ(parse_micros("0.00000149999999"), 1);   // below the tie; rounding twice would give 2
  EXPECT_EQ(parse_micros("0.9999995"), 1'000'000);  // tie upwards into the next unit: 999999 is odd
}

TEST(Money, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      ".",
                                      "1.",
                                      ".5",
                                      "-1",
                                      "+1",
                                      "1e3",
                                      "1E3",
                                      "1,5",
                                      "1 000",
                                      " 1",
                                      "1 ",
                                      "1.2.3",
                                      "0x10",
                                      "NaN",
                                      "inf",
                                      "$1",
                                      "1'000",
                                      "\xD9\xA1",
                                      "12345678901234567890",
                                      "0.12345678901234567890"})
    EXPECT_THROW(parse_decimal(text), Error) << text;
}

TEST(Money, LargestAmountsAreExactAndLargerOnesRefused) {
  EXPECT_EQ(parse_micros("9223372036854.775807"), std::numeric_limits<Micros>::max());
  EXPECT_THROW(parse_micros("9223372036854.7758085"), Error);
  EXPECT_THROW(parse_micros("999999999999999999"), Error);
}

TEST(Money, HourlyPriceOfAMonthIsRoundedOnceFromTheUnroundedAmount) {
  const Decimal month{kHoursPerMonth, 0};
  EXPECT_EQ(scaled_micros(parse_decimal("2233"), {1, 0}, month), 3'058'904);     // 3.0589041...
  EXPECT_EQ(scaled_micros(parse_decimal("1511.10"), {1, 0}, month), 2'070'000);  // exactly 2.07
  EXPECT_EQ(scaled_micros(parse_decimal("12660"), {1, 0}, month), 17'342'466);   // 17.34246575...
  EXPECT_EQ(scaled_micros(parse_decimal("0.000365"), {1, 0}, month), 0);         // tie 0.0000005 to even 0
  EXPECT_EQ(scaled_micros(parse_decimal("0.001095"), {1, 0}, month), 2);         // tie 0.0000015 to even 2
}

TEST(Money, PerGpuTimesCountAndInstanceByCount) {
  EXPECT_EQ(scaled_micros(parse_decimal("2.95"), {8'000'000, 6}, {1, 0}), 23'600'000);
  EXPECT_EQ(scaled_micros(parse_decimal("13.78"), {1, 0}, {8'000'000, 6}), 1'722'500);
  EXPECT_EQ(scaled_micros(parse_decimal("1"), {1, 0}, {3, 0}), 333'333);
  EXPECT_EQ(scaled_micros(parse_decimal("2"), {1, 0}, {3, 0}), 666'667);
  EXPECT_EQ(scaled_micros(parse_decimal("0.454"), {1, 0}, {166'667, 6}), 2'723'995);  // a sixth of a GPU
}

TEST(Money, RefusesZeroDivisorAndOverflow) {
  EXPECT_THROW(scaled_micros({1, 0}, {1, 0}, {0, 0}), Error);
  EXPECT_THROW(scaled_micros({999'999'999'999'999'999U, 0}, {999'999'999'999'999'999U, 0}, {1, 0}), Error);
}

TEST(Money, DividesHalfToEven) {
  EXPECT_EQ(divide_half_even(5, 2), 2);
  EXPECT_EQ(divide_half_even(7, 2), 4);
  EXPECT_EQ(divide_half_even(8, 3), 3);
  EXPECT_EQ(divide_half_even(7, 3), 2);
  EXPECT_EQ(divide_half_even(std::numeric_limits<Micros>::max(), 1), std::numeric_limits<Micros>::max());
  EXPECT_THROW(divide_half_even(1, 0), Error);
  EXPECT_THROW(divide_half_even(1, -1), Error);
}

TEST(Money, FormatsSixPlaces) {
  EXPECT_EQ(format_micros(0), "0.000000");
  EXPECT_EQ(format_micros(1'720'000), "1.720000");
  EXPECT_EQ(format_micros(1), "0.000001");
  EXPECT_EQ(format_micros(-1'500'000), "-1.500000");
  EXPECT_EQ(format_micros(std::numeric_limits<Micros>::min()), "-9223372036854.775808");
}

}  // namespace
}  // namespace gpuassay
