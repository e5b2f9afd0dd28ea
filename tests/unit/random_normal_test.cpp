#include "kernels/random_normal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "agent/workloads/random_inputs.h"

namespace gpuassay::kernels {
namespace {

constexpr ElementFormat kFormats[] = {ElementFormat::fp64, ElementFormat::fp32, ElementFormat::tf32,
                                      ElementFormat::fp16, ElementFormat::bf16, ElementFormat::e4m3,
                                      ElementFormat::int8, ElementFormat::e2m1};

TEST(RandomNormal, HashIsTheAgentsOwn) {
  for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(hash(i * 77, i), random_bits(i * 77, i));
}

TEST(RandomNormal, ScaleIsOneOverTheStandardDeviation) {
  EXPECT_DOUBLE_EQ(kNormalScale, 1 / std::sqrt((65536.0 * 65536.0 - 1) / 3));
  EXPECT_LT(kNormalIntegerLimit * kNormalScale, 3.465);
}

TEST(RandomNormal, MomentsAreThoseOfFourUniformNumbers) {
  constexpr int kCount = 1 << 20;
  double sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = normal_double(5, static_cast<UInt64>(i));
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    EXPECT_LE(std::abs(normal_integer(5, static_cast<UInt64>(i))), kNormalIntegerLimit);
  }
  EXPECT_NEAR(sum / kCount, 0, 0.005);      // standard error 0.001
  EXPECT_NEAR(squares / kCount, 1, 0.006);  // 0.0013
  EXPECT_NEAR(fourth / kCount, 2.7, 0.03);  // 3 - 6/5/4 by Irwin-Hall
}

TEST(RandomNormal, ElementsAreTheNumberRoundedIntoTheFormat) {
  for (UInt64 i = 0; i < 20000; ++i) {
    const float x = normal_float(3, i);
    EXPECT_NEAR(static_cast<double>(x), normal_double(3, i), std::fabs(x) * 1.2e-7);
    EXPECT_EQ(element_bits(ElementFormat::fp64, 3, i), bits_of_double(normal_double(3, i)));
    EXPECT_EQ(element_bits(ElementFormat::fp32, 3, i), bits_of_float(x));
    EXPECT_EQ(element_bits(ElementFormat::tf32, 3, i), tf32_bits(x));
    EXPECT_EQ(element_bits(ElementFormat::fp16, 3, i), fp16_bits(x));
    EXPECT_EQ(element_bits(ElementFormat::bf16, 3, i), bf16_bits(x));
    EXPECT_EQ(element_bits(ElementFormat::e4m3, 3, i), e4m3_bits(x));
    EXPECT_EQ(element_bits(ElementFormat::int8, 3, i), int8_bits(24 * x));
    EXPECT_EQ(element_bits(ElementFormat::e2m1, 3, i), e2m1_bits(2 * x));
  }
}

TEST(RandomNormal, ElementsFitTheirFormatAndHaveAFiniteValue) {
  for (const ElementFormat format : kFormats) {
    for (UInt64 i = 0; i < 20000; ++i) {
      const UInt64 bits = element_bits(format, 1, i);
      if (bits_of(format) < 64) {
        ASSERT_EQ(bits >> bits_of(format), 0U);
      }
      ASSERT_TRUE(std::isfinite(element_value(format, 1, i)));
    }
  }
}

TEST(RandomNormal, EveryFourBitCodeOccurs) {
  std::set<UInt64> codes;
  for (UInt64 i = 0; i < 10000; ++i) codes.insert(element_bits(ElementFormat::e2m1, 1, i));
  EXPECT_EQ(codes.size(), 16U);
}

// Recorded results of device kernels depend on these: they never change.
TEST(RandomNormal, FirstElementsArePinned) {
  EXPECT_EQ(hash(0, 0), 0xe220a8397b1dcdafULL);  // the published first output of SplitMix64 seeded with 0
  EXPECT_EQ(normal_integer(0, 0), 0xe220 + 0xa839 + 0x7b1d + 0xcdaf - 131070);
  EXPECT_EQ(element_bits(ElementFormat::fp32, 0, 0), bits_of_float(54055.0F * 2.6428997e-05F));
}

}  // namespace
}  // namespace gpuassay::kernels
