#include "tests/support/resnet50.h"

#include <algorithm>
#include <array>

#include "core/operations.h"

namespace gpuassay::test {
namespace {

constexpr std::int64_t kImageSize = 224;
constexpr std::int64_t kClasses = 1000;
constexpr std::int64_t kFeatures = 2048;  ///< channels after the last block
constexpr std::int64_t kStemChannels = 64;
constexpr std::int64_t kPooledSize = 56;  ///< after the first convolution (112) and the 3x3 stride-2 max pooling
constexpr std::int64_t kFinalSize = 7;

/// Bottleneck blocks of one stage: 1x1 to `width`, 3x3, 1x1 to 4*width.
struct Stage {
  std::int64_t width;
  int blocks;
  std::int64_t stride;  ///< of the first block
};
constexpr std::array<Stage, 4> kStages{{{64, 3, 1}, {128, 4, 2}, {256, 6, 2}, {512, 3, 2}}};

ConvParams conv(DType dtype, std::int64_t batch, std::int64_t c, std::int64_t size, std::int64_t k, std::int64_t r,
                std::int64_t stride) {
  return {dtype, ConvDirection::forward, batch, c, size, size, k, r, r, stride, r / 2};
}

/// The 53 convolutions in network order, and the output elements of what follows them.
struct Network {
  std::vector<ConvParams> convolutions;
  std::int64_t relu_elements = 0;
  std::int64_t residual_elements = 0;
};

Network build(DType dtype, std::int64_t batch) {
  Network net;
  const auto output_elements = [](const ConvParams& layer) { return layer.n * layer.k * layer.p() * layer.q(); };
  const auto add = [&](const ConvParams& layer) {
    net.convolutions.push_back(layer);
    return output_elements(layer);
  };
  net.relu_elements += add(conv(dtype, batch, 3, kImageSize, kStemChannels, 7, 2));
  std::int64_t channels = kStemChannels;
  std::int64_t size = kPooledSize;
  for (const Stage& stage : kStages) {
    for (int block = 0; block < stage.blocks; ++block) {
      const std::int64_t stride = block == 0 ? stage.stride : 1;
      const std::int64_t outputs = 4 * stage.width;
      net.relu_elements += add(conv(dtype, batch, channels, size, stage.width, 1, 1));
      net.relu_elements += add(conv(dtype, batch, stage.width, size, stage.width, 3, stride));
      if (block == 0) add(conv(dtype, batch, channels, size, outputs, 1, stride));
      size /= stride;
      const std::int64_t block_elements = add(conv(dtype, batch, stage.width, size, outputs, 1, 1));
      net.relu_elements += block_elements;  // the ReLU after the residual add
      net.residual_elements += block_elements;
      channels = outputs;
    }
  }
  return net;
}

}  // namespace

std::vector<ConvLayer> resnet50_layers(DType dtype, std::int64_t batch) {
  std::vector<ConvLayer> layers;
  for (const ConvParams& layer : build(dtype, batch).convolutions) {
    const auto known =
        std::find_if(layers.begin(), layers.end(), [&](const ConvLayer& l) { return l.params == layer; });
    if (known == layers.end()) {
      layers.push_back({layer, 1});
    } else {
      ++known->count;
    }
  }
  return layers;
}

std::vector<WorkloadOperation> resnet50_train_operations(DType dtype, std::int64_t batch) {
  std::vector<WorkloadOperation> operations;
  for (const ConvLayer& layer : resnet50_layers(dtype, batch)) {
    const bool first_layer = layer.params.c == 3;  // nobody needs the gradient of the image
    for (const ConvDirection direction :
         {ConvDirection::forward, ConvDirection::backward_data, ConvDirection::backward_weights}) {
      if (first_layer && direction == ConvDirection::backward_data) continue;
      ConvParams params = layer.params;
      params.direction = direction;
      operations.push_back({params, layer.count});
    }
  }
  operations.push_back({GemmParams{dtype, batch, kClasses, kFeatures, 1}, 1});  // y = x * W
  operations.push_back({GemmParams{dtype, batch, kFeatures, kClasses, 1}, 1});  // dx = dy * W^T
  operations.push_back({GemmParams{dtype, kFeatures, kClasses, batch, 1}, 1});  // dW = x^T * dy
  return operations;
}

double resnet50_train_elementwise_bytes(DType dtype, std::int64_t batch) {
  const Network net = build(dtype, batch);
  std::int64_t normalised = 0;
  for (const ConvParams& layer : net.convolutions) normalised += layer.n * layer.k * layer.p() * layer.q();
  const std::int64_t max_pool_in = batch * kStemChannels * 4 * kPooledSize * kPooledSize;
  const std::int64_t max_pool_out = batch * kStemChannels * kPooledSize * kPooledSize;
  const std::int64_t average_pool = batch * kFeatures * (kFinalSize * kFinalSize + 1);
  const std::int64_t passes = (3 + 5) * normalised + (2 + 3) * net.relu_elements + (3 + 3) * net.residual_elements +
                              2 * (max_pool_in + max_pool_out) + 2 * average_pool;
  constexpr double kParameterBytes = 4;  // master weights, gradients and momentum are fp32 in every precision
  return static_cast<double>(passes) * bytes_of_element(dtype) +
         5 * kParameterBytes * static_cast<double>(resnet50_parameter_count());
}

std::int64_t resnet50_parameter_count() {
  std::int64_t parameters = kFeatures * kClasses + kClasses;
  for (const ConvParams& layer : build(DType::fp32, 1).convolutions) {
    parameters += layer.k * layer.c * layer.r * layer.s + 2 * layer.k;
  }
  return parameters;
}

}  // namespace gpuassay::test
