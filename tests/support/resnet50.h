// ResNet-50 v1.5 (stride in the 3x3 convolution, as torchvision builds it): its convolutions and what else one
// training iteration moves. K. He et al., "Deep Residual Learning for Image Recognition", 2015, table 1.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model.h"

namespace gpuassay::test {

/// One distinct convolution of the network and how often it occurs.
struct ConvLayer {
  ConvParams params;  ///< direction forward
  int count = 0;
};

/// The 23 distinct convolutions (53 in all) for `batch` images of 224*224.
std::vector<ConvLayer> resnet50_layers(DType dtype, std::int64_t batch);

/// One operation of a workload and how often one iteration runs it.
struct WorkloadOperation {
  OperationParams params;
  int count = 0;
};

/// Every GEMM and convolution of one training iteration (forward, gradient of the data except for the first layer,
/// gradient of the weights), the classifier's three GEMMs included.
std::vector<WorkloadOperation> resnet50_train_operations(DType dtype, std::int64_t batch);

/// Bytes that one training iteration moves outside GEMM and convolution, each tensor counted once per pass over it:
///  batch norm forward 3 passes over its input's elements (read for the statistics, read, write), backward 5
///  (read x and dy for the sums, read both again, write dx); ReLU 2 and 3; residual add 3 and 3; max and average
///  pooling read + write both ways; SGD with momentum 5 passes over the fp32 parameters (read w, g, m; write w, m).
double resnet50_train_elementwise_bytes(DType dtype, std::int64_t batch);

/// Trainable parameters: convolutions, batch norm scale and shift, classifier: 25,557,032.
std::int64_t resnet50_parameter_count();

}  // namespace gpuassay::test
