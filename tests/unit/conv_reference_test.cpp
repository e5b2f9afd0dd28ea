#include "agent/workloads/conv_reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "agent/workloads/generated_tensor.h"

namespace gpuassay {
namespace {

/// One image, one channel, 3x3 input 1..9, 2x2 filter [1 10; 100 1000], stride 1, no padding.
ConvParams small(ConvDirection direction) { return {DType::fp32, direction, 1, 1, 3, 3, 1, 2, 2, 1, 0}; }
const std::vector<float> kSource{1, 2, 3, 4, 5, 6, 7, 8, 9}, kWeights{1, 10, 100, 1000};

TEST(ConvReference, ForwardByHand) {
  // top left: 1*1 + 2*10 + 4*100 + 5*1000 = 5421
  std::vector<float> destination{5421, 6532, 8754, 9865};
  const ConvParams v = small(ConvDirection::forward);
  EXPECT_TRUE(verify_conv<float>(v, {kSource, kWeights, destination}, kFp32Output).passed);
  destination[3] += 1;
  EXPECT_FALSE(verify_conv<float>(v, {kSource, kWeights, destination}, kFp32Output).passed);
}

TEST(ConvReference, BackwardDataByHand) {
  // Each gradient 1, 2, 3, 4 spreads the filter over its window; the middle element is in all four:
  // 1*1000 + 2*100 + 3*10 + 4*1 = 1234.
  const std::vector<float> gradient{1, 2, 3, 4};
  std::vector<float> diff_source{1, 12, 20, 103, 1234, 2040, 300, 3400, 4000};
  const ConvParams v = small(ConvDirection::backward_data);
  EXPECT_TRUE(verify_conv<float>(v, {diff_source, kWeights, gradient}, kFp32Output).passed);
  diff_source[0] = 0;
  EXPECT_FALSE(verify_conv<float>(v, {diff_source, kWeights, gradient}, kFp32Output).passed);
}

TEST(ConvReference, BackwardWeightsByHand) {
  // top left weight saw 1, 2, 4, 5: 1*1 + 2*2 + 3*4 + 4*5 = 37
  const std::vector<float> gradient{1, 2, 3, 4};
  std::vector<float> diff_weights{37, 47, 67, 77};
  const ConvParams v = small(ConvDirection::backward_weights);
  EXPECT_TRUE(verify_conv<float>(v, {kSource, diff_weights, gradient}, kFp32Output).passed);
  diff_weights[1] = 48;
  EXPECT_FALSE(verify_conv<float>(v, {kSource, diff_weights, gradient}, kFp32Output).passed);
}

TEST(ConvReference, PaddingAndStrideByHand) {
  // 1x1x3x3 input, 3x3 filter of ones, stride 2, pad 1: each output sums the 2x2 corner it sees.
  const ConvParams v{DType::fp32, ConvDirection::forward, 1, 1, 3, 3, 1, 3, 3, 2, 1};
  ASSERT_EQ(v.p(), 2);
  const std::vector<float> ones(9, 1.0F);
  const std::vector<float> destination{1 + 2 + 4 + 5, 2 + 3 + 5 + 6, 4 + 5 + 7 + 8, 5 + 6 + 8 + 9};
  EXPECT_TRUE(verify_conv<float>(v, {kSource, ones, destination}, kFp32Output).passed);
}

TEST(ConvReference, InputsThatNoOutputSeesHaveZeroGradient) {
  // 1x1 filter, stride 2: odd rows and columns are never read.
  const ConvParams v{DType::fp32, ConvDirection::backward_data, 1, 1, 3, 3, 1, 1, 1, 2, 0};
  const std::vector<float> gradient{1, 2, 3, 4}, weight{5};
  EXPECT_TRUE(
      verify_conv<float>(v, {std::vector<float>{5, 0, 10, 0, 0, 0, 15, 0, 20}, weight, gradient}, kFp32Output).passed);
  EXPECT_FALSE(
      verify_conv<float>(v, {std::vector<float>{5, 0, 10, 0, 1, 0, 15, 0, 20}, weight, gradient}, kFp32Output).passed);
}

/// The three directions are adjoint: <conv(x, w), y> = <x, backward_data(y, w)> = <w, backward_weights(x, y)>.
/// Small integers, so every sum is exact; several channels, images, stride and padding at once.
TEST(ConvReference, DirectionsAreAdjoint) {
  const ConvParams v{DType::fp32, ConvDirection::forward, 2, 3, 7, 6, 4, 3, 2, 2, 1};
  const ConvSizes sizes = conv_sizes(v);
  EXPECT_EQ(sizes.destination, 2 * 4 * 4 * 4);
  const auto numbers = [](std::int64_t count, int seed) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>((i * 7 + i * i + 3) % 11) - static_cast<float>(seed);
    return values;
  };
  const auto x = numbers(sizes.source, 5), w = numbers(sizes.weights, 4), y = numbers(sizes.destination, 6);
  double forward = 0, backward_data = 0, backward_weights = 0;
  for (std::int64_t i = 0; i < sizes.destination; ++i) {
    forward += conv_forward_at(v, x, w, i).want * y[static_cast<std::size_t>(i)];
  }
  for (std::int64_t i = 0; i < sizes.source; ++i) {
    backward_data += conv_backward_data_at(v, y, w, i).want * x[static_cast<std::size_t>(i)];
  }
  for (std::int64_t i = 0; i < sizes.weights; ++i) {
    backward_weights += conv_backward_weights_at(v, x, y, i).want * w[static_cast<std::size_t>(i)];
  }
  EXPECT_NE(forward, 0);
  EXPECT_EQ(forward, backward_data);
  EXPECT_EQ(forward, backward_weights);
}

TEST(ConvReference, BorderPositionsAreTheCornersOfTheFirstAndLastPlane) {
  const ConvParams v{DType::fp32, ConvDirection::forward, 1, 1, 4, 5, 2, 3, 3, 1, 1};
  EXPECT_EQ(conv_border_positions(v), (std::vector<std::int64_t>{0, 4, 15, 19, 20, 24, 35, 39}));
}

TEST(ConvReference, WeightPositionsAreEnoughDifferentAndInside) {
  for (const ConvParams& v : {ConvParams{DType::fp16, ConvDirection::backward_weights, 64, 3, 224, 224, 64, 7, 7, 2, 3},
                              ConvParams{DType::fp16, ConvDirection::backward_weights, 64, 256, 56, 56, 64, 1, 1, 1, 0},
                              ConvParams{DType::fp16, ConvDirection::backward_weights, 1, 3, 8, 8, 2, 3, 3, 1, 1},
                              ConvParams{DType::fp16, ConvDirection::backward_weights, 1, 1, 8, 8, 1, 1, 1, 1, 0}}) {
    std::vector<std::int64_t> positions = conv_weight_positions(v);
    const std::int64_t total = conv_output_size(v);
    EXPECT_GE(std::ssize(positions), std::min(total, kSampledPositions));
    std::sort(positions.begin(), positions.end());
    EXPECT_EQ(std::unique(positions.begin(), positions.end()), positions.end());
    EXPECT_EQ(positions.front(), 0);
    EXPECT_EQ(positions.back(), total - 1);
  }
}

TEST(ConvReference, CachedPlanesAreTheTensor) {
  const GeneratedTensor tensor{kernels::ElementFormat::fp16, 3, {4, 6, true}};
  const PlaneCache planes(tensor, 6);
  for (const std::size_t position : {0U, 23U, 5U, 6U, 100U, 1U, 23U}) EXPECT_EQ(planes[position], tensor[position]);
}

}  // namespace
}  // namespace gpuassay
