// What may compute a convolution in cuDNN? One problem, and candidates from its two sources: the legacy calls
// (cudnn_legacy.h) and the engines of the backend API (cudnn_graph.h).
#pragma once

#include <functional>
#include <string>

#include "agent/dynlib/cudnn.h"
#include "core/model.h"

namespace gpuassay {

/// A convolution on given tensors in one format. Memory needs no format: NCHW and NHWC are views of the same numbers.
struct CudnnConvProblem {
  ConvParams params;
  int compute_capability = 0;  ///< 10 x major + minor
  int format = 0;              ///< cudnn::TensorFormat
  int data_type = 0;           ///< cudnn::DataType of all three tensors; sums are fp32
  int math_type = 0;           ///< cudnn::MathType
  void *x = nullptr, *w = nullptr, *y = nullptr;
};

/// One way to compute it.
struct CudnnConvCandidate {
  const CudnnConvProblem* problem = nullptr;
  /// Number of the legacy algorithm; of an engine, that of the algorithm whose tolerance it has.
  int algo = 0;
  std::string name;  ///< for the result document, without the format
  /// Queues one run on the session's stream; cuDNN's status. Valid while the session lives.
  std::function<int()> queue;
};

}  // namespace gpuassay
