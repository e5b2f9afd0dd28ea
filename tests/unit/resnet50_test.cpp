#include "tests/support/resnet50.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "core/operations.h"

namespace gpuassay {
namespace {

using test::ConvLayer;
using test::resnet50_layers;
using test::resnet50_parameter_count;
using test::resnet50_train_elementwise_bytes;
using test::resnet50_train_operations;

TEST(Resnet50, HasThePublishedSizes) {
  const auto layers = resnet50_layers(DType::fp32, 1);
  EXPECT_EQ(layers.size(), 23u);
  const int convolutions =
      std::accumulate(layers.begin(), layers.end(), 0, [](int sum, const ConvLayer& l) { return sum + l.count; });
  EXPECT_EQ(convolutions, 53);
  EXPECT_EQ(resnet50_parameter_count(), 25'557'032);  // torchvision's resnet50
}

TEST(Resnet50, ForwardPassHasThePublishedFlops) {
  double macs = 2048 * 1000;
  for (const ConvLayer& layer : resnet50_layers(DType::fp32, 1)) macs += layer.count * flop_count(layer.params) / 2;
  EXPECT_EQ(macs, 4'089'184'256.0);  // v1.5, convolutions and classifier
}

TEST(Resnet50, TrainingSkipsTheGradientOfTheImage) {
  const auto operations = resnet50_train_operations(DType::fp32, 8);
  EXPECT_EQ(operations.size(), 3 * 23 - 1 + 3u);
  for (const auto& operation : operations) {
    const auto* conv = std::get_if<ConvParams>(&operation.params);
    EXPECT_FALSE(conv != nullptr && conv->c == 3 && conv->direction == ConvDirection::backward_data);
  }
}

TEST(Resnet50, TrainingFlopsAreThreeForwardPassesLessOneLayerGradient) {
  double flops = 0;
  for (const auto& operation : resnet50_train_operations(DType::fp32, 1)) {
    flops += operation.count * flop_count(operation.params);
  }
  EXPECT_EQ(flops, 2 * (3 * 4'089'184'256.0 - 118'013'952.0));
}

TEST(Resnet50, ElementwiseBytesByHand) {
  // Per image: outputs of all convolutions 11,113,984 elements (He et al. layer sizes summed by hand below).
  const double stem = 64 * 112 * 112;
  const auto stage = [](double first_in, double width, double size, double blocks, double stride) {
    (void)first_in;
    const double in_size = size * stride;
    const double mid1 = width * in_size * in_size + (blocks - 1) * width * size * size;
    const double mid2 = blocks * width * size * size;
    const double out = 4 * width * size * size;
    return std::array<double, 3>{mid1 + mid2, out * blocks, out};  // inner convolutions, block outputs, downsample
  };
  double normalised = stem;
  double relu = stem;
  double residual = 0;
  for (const auto& [inner, outputs, downsample] :
       {stage(64, 64, 56, 3, 1), stage(256, 128, 28, 4, 2), stage(512, 256, 14, 6, 2), stage(1024, 512, 7, 3, 2)}) {
    normalised += inner + outputs + downsample;
    relu += inner + outputs;
    residual += outputs;
  }
  EXPECT_EQ(normalised, 11'113'984);
  const double pooling = 2 * (64 * 112 * 112 + 64 * 56 * 56) + 2 * 2048 * 50;
  const double expected = 4 * (8 * normalised + 5 * relu + 6 * residual + pooling) + 5 * 4 * 25'557'032.0;
  EXPECT_EQ(resnet50_train_elementwise_bytes(DType::fp32, 1), expected);
}

}  // namespace
}  // namespace gpuassay
