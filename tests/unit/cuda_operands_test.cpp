// The parts of the CUDA backend that need no device: layouts, copies, types, tolerances.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "agent/backends/cuda_conv_types.h"
#include "agent/backends/cuda_gemm_types.h"
#include "agent/backends/cuda_tensor.h"
#include "agent/backends/operand_copies.h"
#include "agent/workloads/compute_launch.h"
#include "agent/workloads/gemm_reference.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;

TEST(InnerLayout, SwappingIsATransposition) {
  // Two matrices of 2 x 3: element (o, r, c) lies at (o, c, r).
  const InnerLayout layout{2, 3, true};
  const std::vector<std::int64_t> places{0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11};
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(layout.storage_index(static_cast<std::int64_t>(i)), places[i]);
    EXPECT_EQ((InnerLayout{2, 3, false}.storage_index(static_cast<std::int64_t>(i))), static_cast<std::int64_t>(i));
  }
}

TEST(GeneratedTensor, IsWhatTheFillKernelWrites) {
  const GeneratedTensor plain{ElementFormat::fp16, 7, {}};
  EXPECT_EQ(plain[5], kernels::element_value(ElementFormat::fp16, 7, 5));
  const GeneratedTensor transposed{ElementFormat::fp16, 7, {2, 3, true}};
  EXPECT_EQ(transposed[1], plain[2]);
}

TEST(CudaTensor, CopiesGoBeyondTheCacheWithinTheMemory) {
  constexpr std::int64_t kMiB = std::int64_t{1} << 20;
  EXPECT_EQ(copies_beyond_cache(400 * kMiB, 50 * kMiB, 80'000 * kMiB), 1) << "large operands need no copy";
  EXPECT_EQ(copies_beyond_cache(32 * kMiB, 50 * kMiB, 80'000 * kMiB), 4) << "4 x 32 MiB are over 2 x 50";
  EXPECT_EQ(copies_beyond_cache(32 * kMiB, 50 * kMiB, 256 * kMiB), 2) << "a quarter of the memory";
  EXPECT_EQ(copies_beyond_cache(1, 50 * kMiB, 80'000 * kMiB), 64);
  EXPECT_EQ(copies_beyond_cache(0, 50 * kMiB, 80'000 * kMiB), 1);
}

TEST(CudaTensor, SizesAndValues) {
  EXPECT_EQ(storage_bytes(ElementFormat::e2m1, 5), 3U);
  EXPECT_EQ(storage_bytes(ElementFormat::bf16, 5), 10U);
  EXPECT_EQ(output_value(OutputFormat::int32, 0xfffffff6U), -10);
  EXPECT_EQ(output_value(OutputFormat::fp16, 0x3c00), 1);
  EXPECT_EQ(output_value(OutputFormat::bf16, 0xc000), -2);
  EXPECT_TRUE(output_value(OutputFormat::fp32, kPoison) != output_value(OutputFormat::fp32, kPoison)) << "NaN";
}

/// A sum of the given size, compared with what the library might have written.
bool passes(const OutputRule& rule, double want, double sum_abs, double got) {
  OutputCheck check(rule);
  check.compare(got, {want, sum_abs});
  return check.result().passed;
}

TEST(CudaGemmTypes, TolerancesTakeRoundingAndNoOmission) {
  // k = 8192 normal products: the magnitudes sum up to 8192 * 0.64, the sum itself is about 90.
  constexpr double kMagnitudes = 8192 * 0.64, kSum = 90, kOneProduct = 0.64;
  for (const DType dtype : {DType::fp64, DType::fp32, DType::tf32}) {
    const OutputRule rule = cuda_gemm_types(dtype).rule;
    EXPECT_TRUE(passes(rule, kSum, kMagnitudes, kSum));
    EXPECT_FALSE(passes(rule, kSum, kMagnitudes, kSum + kOneProduct)) << "one product left out";
  }
  const OutputRule half = cuda_gemm_types(DType::fp16).rule;
  EXPECT_TRUE(passes(half, kSum, kMagnitudes, kSum * (1 + 0x1p-11)));
  EXPECT_FALSE(passes(half, kSum, kMagnitudes, kSum + kOneProduct));
  EXPECT_FALSE(passes(cuda_gemm_types(DType::int8).rule, 1000, 5000, 1001));
  for (const DType dtype : {DType::fp8_e4m3, DType::fp4, DType::fp16_acc16}) {
    EXPECT_FALSE(passes(cuda_gemm_types(dtype).rule, kSum, kMagnitudes, 0)) << "nothing written";
    EXPECT_FALSE(passes(cuda_gemm_types(dtype).rule, kSum, kMagnitudes, std::nan("")));
  }
}

TEST(CudaGemmTypes, OnesAndZerosHaveTheScalesType) {
  EXPECT_EQ(*static_cast<const float*>(one_of(cublas::kR32F)), 1.0F);
  EXPECT_EQ(*static_cast<const double*>(one_of(cublas::kR64F)), 1.0);
  EXPECT_EQ(*static_cast<const std::uint16_t*>(one_of(cublas::kR16F)), 0x3c00);
  EXPECT_EQ(*static_cast<const std::int32_t*>(one_of(cublas::kR32I)), 1);
  EXPECT_EQ(*static_cast<const double*>(zero_of(cublas::kR64F)), 0.0);
}

TEST(CudaConvTypes, WhatADeviceDoesNotHaveIsRefused) {
  EXPECT_THROW(cuda_conv_types(DType::tf32, 75), Error);
  EXPECT_THROW(cuda_conv_types(DType::bf16, 70), Error);
  EXPECT_THROW(cuda_conv_types(DType::int8, 90), Error);
  EXPECT_EQ(cuda_conv_types(DType::bf16, 80).formats.front(), cudnn::kNhwc);
  EXPECT_EQ(cuda_conv_types(DType::fp16, 60).math_type, cudnn::kDefaultMath) << "no tensor cores before Volta";
  EXPECT_EQ(cuda_conv_types(DType::fp32, 90).math_type, cudnn::kFmaMath) << "fp32 is not tf32";
}

TEST(CudaConvTypes, TransformedAlgorithmsHaveWiderTolerances) {
  EXPECT_EQ(conv_algorithm_name(ConvDirection::forward, 7), "winograd_nonfused");
  EXPECT_EQ(conv_algorithm_name(ConvDirection::backward_weights, 99), "unknown");
  const ConvParams conv{DType::fp32, ConvDirection::forward, 1, 8, 8, 8, 8, 3, 3, 1, 1};
  EXPECT_GT(conv_output_rule(conv, 6).tolerance, conv_output_rule(conv, 1).tolerance);
}

/// Adds normally distributed fp16 products as a tensor core does: 16 at once, the sum cut off to 24 bits.
class CuttingSum {
 public:
  explicit CuttingSum(std::uint64_t seed) : a_{ElementFormat::fp16, seed, {}}, b_{ElementFormat::fp16, ~seed, {}} {}
  void add(std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kAtOnce = 16;
    for (std::int64_t at = begin; at < end; at += kAtOnce) {
      double together = sum_;
      for (std::int64_t i = at; i < at + kAtOnce; ++i) {
        const auto index = static_cast<std::size_t>(i);
        together += a_[index] * b_[index];
        exact_.add(a_[index], b_[index]);
      }
      sum_ = cut_off(together);
    }
  }
  void omit(std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      exact_.add(a_[static_cast<std::size_t>(i)], b_[static_cast<std::size_t>(i)]);
    }
  }
  [[nodiscard]] double error() const { return std::fabs(sum_ - exact_.want) / exact_.sum_abs; }

 private:
  static double cut_off(double value) {
    int exponent = 0;
    const double fraction = std::frexp(value, &exponent);
    return std::ldexp(std::trunc(std::ldexp(fraction, 24)), exponent - 24);
  }
  GeneratedTensor a_, b_;
  double sum_ = 0;
  ReferenceValue exact_;
};

TEST(CudaRuleForTerms, LongSumsOnTensorCoresMayLoseMoreButNoImage) {
  // The weight gradient of ResNet-50's first layer: 64 images of 112 x 112 products.
  constexpr std::int64_t kImage = std::int64_t{112} * 112, kTerms = 64 * kImage;
  const double tolerance = cuda_rule_for_terms(DType::fp16, kTerms).tolerance;
  double worst = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CuttingSum sum(seed);
    sum.add(0, kTerms);
    worst = std::max(worst, sum.error());
  }
  EXPECT_LT(worst, tolerance / 2);
  EXPECT_GT(worst, tolerance / 50) << "the sum above must be one that cuts off";

  CuttingSum without_an_image(1);
  without_an_image.add(0, kTerms - kImage);
  without_an_image.omit(kTerms - kImage, kTerms);
  EXPECT_GT(without_an_image.error(), tolerance);
}

TEST(CudaRuleForTerms, ShortSumsAndOtherArithmeticKeepTheirTolerance) {
  EXPECT_EQ(cuda_rule_for_terms(DType::bf16, 16384).tolerance, cuda_gemm_types(DType::bf16).rule.tolerance);
  EXPECT_EQ(cuda_rule_for_terms(DType::bf16, std::int64_t{4} * 16384).tolerance,
            2 * cuda_gemm_types(DType::bf16).rule.tolerance);
  EXPECT_EQ(cuda_rule_for_terms(DType::fp32, 1 << 20).tolerance, cuda_gemm_types(DType::fp32).rule.tolerance);
}

TEST(ComputeLaunch, CountsFollowFromTheMultiprocessors) {
  const ComputeKernel* fma = find_compute_kernel(DType::fp32, ComputeUnit::fma, 70);
  ASSERT_NE(fma, nullptr);
  const ComputeLaunch one = compute_launch(*fma, 1), eighty = compute_launch(*fma, 80);
  EXPECT_EQ(eighty.flops, 80 * one.flops);
  EXPECT_EQ(eighty.threads % kernels::kBlockThreads, 0);
  // 1024 threads * 8 chains * 64 steps * 2 operations per iteration.
  EXPECT_EQ(one.flops, std::int64_t{1024} * 8 * 64 * 2 * one.iterations);
}

}  // namespace
}  // namespace gpuassay
