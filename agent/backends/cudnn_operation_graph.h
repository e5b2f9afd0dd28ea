// How is a convolution described to cuDNN's backend API? As a graph of one operation on three tensors.
#pragma once

#include <vector>

#include "agent/backends/cudnn_conv.h"
#include "agent/backends/cudnn_descriptor.h"
#include "agent/backends/cudnn_session.h"

namespace gpuassay {

/// One problem's descriptors. Throws what cuDNN answers.
class CudnnOperationGraph {
 public:
  CudnnOperationGraph(const CudnnSession& session, const CudnnConvProblem& problem);

  /// At most `most` engine configurations, the best expected first.
  [[nodiscard]] std::vector<cudnn::BackendObject> configs(cudnn::HeuristicModeValue mode, std::int64_t most) const;
  /// A configuration made ready to run.
  [[nodiscard]] cudnn::BackendObject plan(const cudnn::BackendObject& config) const;
  /// Queues one run of a plan; cuDNN's status.
  [[nodiscard]] int run(const cudnn::BackendObject& plan) const;

 private:
  [[nodiscard]] const cudnn::Api& api() const { return session_.library.api; }

  const CudnnSession& session_;
  cudnn::BackendObject x_, w_, y_, convolution_, operation_, graph_, pack_;
};

}  // namespace gpuassay
