#include "agent/workloads/gemm_reference.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "agent/workloads/random_inputs.h"

namespace gpuassay {
namespace {

TEST(Bfloat16, RoundsToNearestEven) {
  EXPECT_EQ(bfloat16_from(1.0F).bits, 0x3f80);
  EXPECT_EQ(bfloat16_from(1.0F + 0x1p-8F).bits, 0x3f80);             // tie: to even
  EXPECT_EQ(bfloat16_from(1.0F + 0x1p-7F + 0x1p-8F).bits, 0x3f82);   // tie: to even
  EXPECT_EQ(bfloat16_from(1.0F + 0x1p-8F + 0x1p-20F).bits, 0x3f81);  // above the tie
  EXPECT_EQ(bfloat16_from(-2.5F).bits, 0xc020);
  EXPECT_EQ(float_from(bfloat16_from(-2.5F)), -2.5F);
}

// [1 2 3]   [ 7  8]   [ 58  64]
// [4 5 6] x [ 9 10] = [139 154]
//           [11 12]
const GemmParams kSmall{DType::fp32, 2, 2, 3, 1};
const std::vector<float> kA{1, 2, 3, 4, 5, 6}, kB{7, 8, 9, 10, 11, 12}, kC{58, 64, 139, 154};

Verification verify_small(const std::vector<float>& c) {
  return verify_gemm<float, float, float>(kSmall, kA, kB, c, kFp32Output);
}

TEST(GemmReference, HandWorkedProductPasses) {
  const Verification result = verify_small(kC);
  EXPECT_TRUE(result.passed);
  EXPECT_EQ(result.max_error, 0);
  EXPECT_EQ(result.positions, 4);
  EXPECT_EQ(result.method, "fp64_reference");
}

TEST(GemmReference, EveryCorruptedElementIsDetected) {
  for (std::size_t i = 0; i < kC.size(); ++i) {
    std::vector<float> corrupted = kC;
    corrupted[i] += 0.01F;
    EXPECT_FALSE(verify_small(corrupted).passed) << i;
  }
}

TEST(GemmReference, SecondProductOfABatchUsesItsOwnOperands) {
  const GemmParams params{DType::int8, 1, 2, 2, 2};
  const std::vector<std::uint8_t> a{1, 2, 3, 4};
  const std::vector<std::int8_t> b{1, -1, 2, 3, 5, 6, 7, -8};
  // [1 2] x [1 -1; 2 3] = [5 5]; [3 4] x [5 6; 7 -8] = [43 -14]
  const std::vector<std::int32_t> c{5, 5, 43, -14};
  EXPECT_TRUE((verify_gemm<std::uint8_t, std::int8_t, std::int32_t>(params, a, b, c, kInt32Output).passed));
  const std::vector<std::int32_t> off_by_one{5, 5, 43, -13};
  EXPECT_FALSE((verify_gemm<std::uint8_t, std::int8_t, std::int32_t>(params, a, b, off_by_one, kInt32Output).passed));
}

/// A larger product on the inputs that are really measured, in fp32 with products [skip_from, skip_to) left out.
class GemmOnRandomInputs : public ::testing::Test {
 protected:
  GemmOnRandomInputs()
      : inputs_([](std::size_t count, const auto& body) { body(0, count); }, std::size_t{1} << 16),
        a_(static_cast<std::size_t>(params_.m * params_.k)),
        b_(static_cast<std::size_t>(params_.k * params_.n)) {
    inputs_.fill_f32(a_, 1);
    inputs_.fill_f32(b_, 2);
  }

  [[nodiscard]] Verification verify_skipping(std::int64_t skip_from, std::int64_t skip_to) const {
    std::vector<float> c(static_cast<std::size_t>(params_.m * params_.n));
    for (std::int64_t row = 0; row < params_.m; ++row) {
      for (std::int64_t column = 0; column < params_.n; ++column) {
        float sum = 0;
        for (std::int64_t i = 0; i < params_.k; ++i) {
          if (i >= skip_from && i < skip_to) continue;
          sum +=
              a_[static_cast<std::size_t>(row * params_.k + i)] * b_[static_cast<std::size_t>(i * params_.n + column)];
        }
        c[static_cast<std::size_t>(row * params_.n + column)] = sum;
      }
    }
    return verify_gemm<float, float, float>(params_, a_, b_, c, kFp32Output);
  }

  GemmParams params_{DType::fp32, 12, 11, 4096, 1};
  RandomInputs inputs_;
  std::vector<float> a_, b_;
};

TEST_F(GemmOnRandomInputs, PlainFp32SummationIsWellWithinTheTolerance) {
  const Verification result = verify_skipping(0, 0);
  EXPECT_TRUE(result.passed);
  EXPECT_LT(result.max_error, result.tolerance / 2);
  EXPECT_GE(result.positions, 64);
}

TEST_F(GemmOnRandomInputs, OneSkippedBlockOfKIsDetected) { EXPECT_FALSE(verify_skipping(2048, 2064).passed); }

TEST_F(GemmOnRandomInputs, OneSkippedProductIsDetected) { EXPECT_FALSE(verify_skipping(4095, 4096).passed); }

}  // namespace
}  // namespace gpuassay
