#include "agent/backends/cudnn_operation_graph.h"

#include <algorithm>

namespace gpuassay {
namespace {

using cudnn::BackendObject;

/// Names of the tensors within the graph; any numbers do.
constexpr std::int64_t kX = 1, kW = 2, kY = 3;
/// cuMemAlloc gives 256; no vector access needs more.
constexpr std::int64_t kAlignmentBytes = 16;

/// Outer dimension, channels, rows, columns; the strides say where the channels lie.
BackendObject tensor(const cudnn::Api& api, const CudnnConvProblem& problem, std::int64_t id, std::int64_t outer,
                     std::int64_t channels, std::int64_t rows, std::int64_t columns) {
  BackendObject made(api, cudnn::kTensorType);
  made.set_enum(cudnn::kTensorDataType, cudnn::kDataTypeElement, problem.data_type);
  made.set_int64(cudnn::kTensorDimensions, {outer, channels, rows, columns});
  if (problem.format == cudnn::kNhwc) {
    made.set_int64(cudnn::kTensorStrides, {channels * rows * columns, 1, columns * channels, channels});
  } else {
    made.set_int64(cudnn::kTensorStrides, {channels * rows * columns, rows * columns, columns, 1});
  }
  made.set_int64(cudnn::kTensorId, {id});
  made.set_int64(cudnn::kTensorAlignment, {kAlignmentBytes});
  made.finalize();
  return made;
}

BackendObject convolution(const cudnn::Api& api, const ConvParams& v) {
  BackendObject made(api, cudnn::kConvolutionType);
  made.set_enum(cudnn::kConvolutionComputeType, cudnn::kDataTypeElement, cudnn::kFloat);
  made.set_enum(cudnn::kConvolutionMode, cudnn::kConvolutionModeElement, cudnn::kCrossCorrelation);
  made.set_int64(cudnn::kConvolutionSpatialDimensions, {2});
  made.set_int64(cudnn::kConvolutionPrePaddings, {v.pad, v.pad});
  made.set_int64(cudnn::kConvolutionPostPaddings, {v.pad, v.pad});
  made.set_int64(cudnn::kConvolutionStrides, {v.stride, v.stride});
  made.set_int64(cudnn::kConvolutionDilations, {1, 1});
  made.finalize();
  return made;
}

/// What one direction calls its descriptor and attributes.
struct DirectionNames {
  cudnn::BackendType type;
  cudnn::Attribute alpha, beta, convolution, x, w, y;
};

DirectionNames names_of(ConvDirection direction) {
  switch (direction) {
    case ConvDirection::forward: break;
    case ConvDirection::backward_data:
      return {cudnn::kBackwardDataType, cudnn::kBackwardDataAlpha,
              cudnn::kBackwardDataBeta, cudnn::kBackwardDataConvolution,
              cudnn::kBackwardDataX,    cudnn::kBackwardDataW,
              cudnn::kBackwardDataY};
    case ConvDirection::backward_weights:
      return {cudnn::kBackwardFilterType, cudnn::kBackwardFilterAlpha,
              cudnn::kBackwardFilterBeta, cudnn::kBackwardFilterConvolution,
              cudnn::kBackwardFilterX,    cudnn::kBackwardFilterW,
              cudnn::kBackwardFilterY};
  }
  return {cudnn::kForwardType, cudnn::kForwardAlpha, cudnn::kForwardBeta, cudnn::kForwardConvolution,
          cudnn::kForwardX,    cudnn::kForwardW,     cudnn::kForwardY};
}

BackendObject operation(const cudnn::Api& api, ConvDirection direction, const BackendObject& how,
                        const BackendObject& x, const BackendObject& w, const BackendObject& y) {
  const DirectionNames names = names_of(direction);
  BackendObject made(api, names.type);
  made.set_float(names.alpha, 1);
  made.set_float(names.beta, 0);
  made.set_pointers(names.convolution, cudnn::kDescriptorElement, {how.raw()});
  made.set_pointers(names.x, cudnn::kDescriptorElement, {x.raw()});
  made.set_pointers(names.w, cudnn::kDescriptorElement, {w.raw()});
  made.set_pointers(names.y, cudnn::kDescriptorElement, {y.raw()});
  made.finalize();
  return made;
}

BackendObject graph(const CudnnSession& session, const BackendObject& of) {
  BackendObject made(session.library.api, cudnn::kOperationGraphType);
  made.set_pointers(cudnn::kGraphHandle, cudnn::kHandleElement, {session.handle.get()});
  made.set_pointers(cudnn::kGraphOperations, cudnn::kDescriptorElement, {of.raw()});
  made.finalize();
  return made;
}

/// Where the tensors and the workspace lie.
BackendObject variant_pack(const CudnnSession& session, const CudnnConvProblem& problem) {
  BackendObject made(session.library.api, cudnn::kVariantPackType);
  made.set_int64(cudnn::kPackIds, {kX, kW, kY});
  made.set_pointers(cudnn::kPackPointers, cudnn::kPointerElement, {problem.x, problem.w, problem.y});
  made.set_pointers(cudnn::kPackWorkspace, cudnn::kPointerElement, {session.workspace.pointer()});
  made.finalize();
  return made;
}

}  // namespace

CudnnOperationGraph::CudnnOperationGraph(const CudnnSession& session, const CudnnConvProblem& problem)
    : session_(session),
      x_(tensor(api(), problem, kX, problem.params.n, problem.params.c, problem.params.h, problem.params.w)),
      w_(tensor(api(), problem, kW, problem.params.k, problem.params.c, problem.params.r, problem.params.s)),
      y_(tensor(api(), problem, kY, problem.params.n, problem.params.k, problem.params.p(), problem.params.q())),
      convolution_(convolution(api(), problem.params)),
      operation_(operation(api(), problem.params.direction, convolution_, x_, w_, y_)),
      graph_(graph(session, operation_)),
      pack_(variant_pack(session, problem)) {}

std::vector<BackendObject> CudnnOperationGraph::configs(cudnn::HeuristicModeValue mode, std::int64_t most) const {
  BackendObject heuristic(api(), cudnn::kHeuristicType);
  heuristic.set_pointers(cudnn::kHeuristicGraph, cudnn::kDescriptorElement, {graph_.raw()});
  heuristic.set_enum(cudnn::kHeuristicMode, cudnn::kHeuristicModeElement, mode);
  heuristic.finalize();
  const std::int64_t there_are = heuristic.count(cudnn::kHeuristicResults);
  return heuristic.objects(cudnn::kHeuristicResults, cudnn::kEngineConfigType, std::min(there_are, most));
}

BackendObject CudnnOperationGraph::plan(const BackendObject& config) const {
  BackendObject made(api(), cudnn::kPlanType);
  made.set_pointers(cudnn::kPlanHandle, cudnn::kHandleElement, {session_.handle.get()});
  made.set_pointers(cudnn::kPlanConfig, cudnn::kDescriptorElement, {config.raw()});
  made.finalize();
  return made;
}

int CudnnOperationGraph::run(const BackendObject& plan) const {
  return api().cudnnBackendExecute(session_.handle.get(), plan.raw(), pack_.raw());
}

}  // namespace gpuassay
