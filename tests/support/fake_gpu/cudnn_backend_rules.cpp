// Which attributes has a descriptor of cuDNN's backend API, and what does finalizing it demand? As in NVIDIA's
// documentation of the descriptor types, as far as convolutions go.
#include <algorithm>
#include <array>

#include "tests/support/fake_gpu/cudnn_backend_records.h"

namespace gpuassay::fake {
namespace {

using namespace cudnn;  // a hundred names of attributes

struct Rule {
  int type = 0, attribute = 0, element_type = 0;
  std::int64_t least = 0, most = 0;
  bool required = true;
};

constexpr std::array kRules{
    Rule{kTensorType, kTensorAlignment, kInt64Element, 1, 1},
    Rule{kTensorType, kTensorDataType, kDataTypeElement, 1, 1},
    Rule{kTensorType, kTensorDimensions, kInt64Element, 1, 8},
    Rule{kTensorType, kTensorStrides, kInt64Element, 1, 8},
    Rule{kTensorType, kTensorId, kInt64Element, 1, 1},
    Rule{kConvolutionType, kConvolutionComputeType, kDataTypeElement, 1, 1},
    Rule{kConvolutionType, kConvolutionMode, kConvolutionModeElement, 1, 1},
    Rule{kConvolutionType, kConvolutionSpatialDimensions, kInt64Element, 1, 1},
    Rule{kConvolutionType, kConvolutionDilations, kInt64Element, 1, 6},
    Rule{kConvolutionType, kConvolutionStrides, kInt64Element, 1, 6},
    Rule{kConvolutionType, kConvolutionPrePaddings, kInt64Element, 1, 6},
    Rule{kConvolutionType, kConvolutionPostPaddings, kInt64Element, 1, 6},
    Rule{kForwardType, kForwardAlpha, kFloatElement, 1, 1},
    Rule{kForwardType, kForwardBeta, kFloatElement, 1, 1},
    Rule{kForwardType, kForwardConvolution, kDescriptorElement, 1, 1},
    Rule{kForwardType, kForwardW, kDescriptorElement, 1, 1},
    Rule{kForwardType, kForwardX, kDescriptorElement, 1, 1},
    Rule{kForwardType, kForwardY, kDescriptorElement, 1, 1},
    Rule{kBackwardDataType, kBackwardDataAlpha, kFloatElement, 1, 1},
    Rule{kBackwardDataType, kBackwardDataBeta, kFloatElement, 1, 1},
    Rule{kBackwardDataType, kBackwardDataConvolution, kDescriptorElement, 1, 1},
    Rule{kBackwardDataType, kBackwardDataW, kDescriptorElement, 1, 1},
    Rule{kBackwardDataType, kBackwardDataX, kDescriptorElement, 1, 1},
    Rule{kBackwardDataType, kBackwardDataY, kDescriptorElement, 1, 1},
    Rule{kBackwardFilterType, kBackwardFilterAlpha, kFloatElement, 1, 1},
    Rule{kBackwardFilterType, kBackwardFilterBeta, kFloatElement, 1, 1},
    Rule{kBackwardFilterType, kBackwardFilterConvolution, kDescriptorElement, 1, 1},
    Rule{kBackwardFilterType, kBackwardFilterW, kDescriptorElement, 1, 1},
    Rule{kBackwardFilterType, kBackwardFilterX, kDescriptorElement, 1, 1},
    Rule{kBackwardFilterType, kBackwardFilterY, kDescriptorElement, 1, 1},
    Rule{kOperationGraphType, kGraphHandle, kHandleElement, 1, 1},
    Rule{kOperationGraphType, kGraphOperations, kDescriptorElement, 1, 1},
    Rule{kHeuristicType, kHeuristicMode, kHeuristicModeElement, 1, 1},
    Rule{kHeuristicType, kHeuristicGraph, kDescriptorElement, 1, 1},
    Rule{kPlanType, kPlanHandle, kHandleElement, 1, 1},
    Rule{kPlanType, kPlanConfig, kDescriptorElement, 1, 1},
    Rule{kVariantPackType, kPackIds, kInt64Element, 1, 16},
    Rule{kVariantPackType, kPackPointers, kPointerElement, 1, 16},
    Rule{kVariantPackType, kPackWorkspace, kPointerElement, 1, 1, false},
};

void demand(bool condition, CudnnStatus otherwise = CudnnStatus::bad_param) {
  if (!condition) throw CudnnFailure{otherwise};
}

std::size_t length(const BackendRecord& record, int attribute) {
  return record.values.at(attribute).size() / sizeof(std::int64_t);
}

void finalize_tensor(BackendRecord& record) {
  constexpr std::size_t kRank = 4;
  demand(length(record, kTensorDimensions) == length(record, kTensorStrides));
  demand(length(record, kTensorDimensions) == kRank, CudnnStatus::not_supported);
  std::array<std::int64_t, kRank> size{}, stride{};
  for (std::size_t i = 0; i < kRank; ++i) {
    size.at(i) = record.value<std::int64_t>(kTensorDimensions, i);
    stride.at(i) = record.value<std::int64_t>(kTensorStrides, i);
    demand(size.at(i) > 0 && stride.at(i) > 0);
  }
  const auto [n, c, h, w] = size;
  const std::array<std::int64_t, kRank> last{c * h * w, 1, w * c, c}, first{c * h * w, h * w, w, 1};
  demand(stride == last || stride == first, CudnnStatus::not_supported);
  const auto alignment = record.value<std::int64_t>(kTensorAlignment);
  record.tensor = {record.value<int>(kTensorDataType),
                   stride == last,
                   static_cast<int>(n),
                   static_cast<int>(c),
                   static_cast<int>(h),
                   static_cast<int>(w)};
  demand(alignment > 0 && alignment % tensor_element_bytes(record.tensor.data_type) == 0 &&
         (alignment & (alignment - 1)) == 0);
  record.id = record.value<std::int64_t>(kTensorId);
}

void finalize_convolution(BackendRecord& record) {
  const auto number = [&](int attribute, std::size_t index) {
    return static_cast<int>(record.value<std::int64_t>(attribute, index));
  };
  demand(record.value<std::int64_t>(kConvolutionSpatialDimensions) == 2, CudnnStatus::not_supported);
  for (const int attribute :
       {kConvolutionDilations, kConvolutionStrides, kConvolutionPrePaddings, kConvolutionPostPaddings}) {
    demand(length(record, attribute) == 2);
  }
  demand(record.value<int>(kConvolutionComputeType) == kFloat, CudnnStatus::not_supported);
  demand(record.value<int>(kConvolutionMode) == kCrossCorrelation, CudnnStatus::not_supported);
  demand(number(kConvolutionPrePaddings, 0) == number(kConvolutionPostPaddings, 0) &&
             number(kConvolutionPrePaddings, 1) == number(kConvolutionPostPaddings, 1),
         CudnnStatus::not_supported);
  record.how.pad_h = number(kConvolutionPrePaddings, 0);
  record.how.pad_w = number(kConvolutionPrePaddings, 1);
  record.how.stride_h = number(kConvolutionStrides, 0);
  record.how.stride_w = number(kConvolutionStrides, 1);
  record.how.dilation_h = number(kConvolutionDilations, 0);
  record.how.dilation_w = number(kConvolutionDilations, 1);
  demand(std::min({record.how.stride_h, record.how.stride_w, record.how.dilation_h, record.how.dilation_w}) > 0);
}

/// Attribute numbers of a direction's alpha, beta, convolution, x, w and y.
struct OperationAttributes {
  Direction direction;
  int alpha, beta, convolution, x, w, y;
};

void finalize_operation(BackendRecord& record, const OperationAttributes& names) {
  const BackendRecord& x = record.part(names.x);
  const BackendRecord& w = record.part(names.w);
  const BackendRecord& y = record.part(names.y);
  demand(x.type == kTensorType && w.type == kTensorType && y.type == kTensorType);
  demand(record.part(names.convolution).type == kConvolutionType);
  demand(x.id != w.id && w.id != y.id && x.id != y.id);
  ConvolutionProblem& problem = record.problem;
  problem.direction = names.direction;
  problem.x = x.tensor;
  problem.w = w.tensor;
  problem.y = y.tensor;
  problem.how = record.part(names.convolution).how;
  problem.alpha = record.value<float>(names.alpha);
  problem.beta = record.value<float>(names.beta);
  record.x_id = x.id;
  record.w_id = w.id;
  record.y_id = y.id;
  demand(shapes_agree(problem));
}

void finalize_graph(Machine& machine, BackendRecord& record) {
  const BackendRecord& operation = record.part(kGraphOperations);
  demand(operation.type == kForwardType || operation.type == kBackwardDataType ||
         operation.type == kBackwardFilterType);
  machine.checked(record.value<Handle>(kGraphHandle));
  record.inherit(operation);
  check_problem(machine, record.problem);
}

void finalize_heuristic(Machine& machine, BackendRecord& record) {
  demand(record.part(kHeuristicGraph).type == kOperationGraphType);
  const int mode = record.value<int>(kHeuristicMode);
  const Version version = cudnn_version();
  // Mode A came with a later cuDNN 8; which one exactly is not known here.
  const bool knows_mode_a = version.major > 8 || version.minor >= 3;
  demand(mode >= kModeInstant && mode <= (knows_mode_a ? kModeA : kModeFallback));
  record.inherit(record.part(kHeuristicGraph));
  record.engines = fake::engines(record.problem, machine.current().profile(), mode);
  demand(!record.engines.empty(), CudnnStatus::not_supported);
}

void finalize_plan(Machine& machine, BackendRecord& record) {
  demand(record.part(kPlanConfig).type == kEngineConfigType);
  machine.checked(record.value<Handle>(kPlanHandle));
  record.inherit(record.part(kPlanConfig));
  demand(record.engine.plan_is_possible, CudnnStatus::not_supported);
}

}  // namespace

std::size_t element_bytes(int element_type) {
  switch (element_type) {
    case kHandleElement:
    case kInt64Element:
    case kPointerElement:
    case kDescriptorElement: return sizeof(std::int64_t);
    case kBooleanElement: return 1;
    default: return sizeof(int);
  }
}

void check_attribute(int type, int attribute, int element_type, std::int64_t count) {
  const auto* const rule = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& each) {
    return each.type == type && each.attribute == attribute && each.element_type == element_type;
  });
  demand(rule != kRules.end() && count >= rule->least && count <= rule->most);
}

void finalize(Machine& machine, BackendRecord& record) {
  demand(!record.finalized);
  for (const Rule& rule : kRules) {
    if (rule.type != record.type || !rule.required) continue;
    demand(record.values.contains(rule.attribute) || record.parts.contains(rule.attribute));
  }
  switch (record.type) {
    case kTensorType: finalize_tensor(record); break;
    case kConvolutionType: finalize_convolution(record); break;
    case kForwardType:
      finalize_operation(record, {Direction::forward, kForwardAlpha, kForwardBeta, kForwardConvolution, kForwardX,
                                  kForwardW, kForwardY});
      break;
    case kBackwardDataType:
      finalize_operation(record, {Direction::backward_data, kBackwardDataAlpha, kBackwardDataBeta,
                                  kBackwardDataConvolution, kBackwardDataX, kBackwardDataW, kBackwardDataY});
      break;
    case kBackwardFilterType:
      finalize_operation(record, {Direction::backward_filter, kBackwardFilterAlpha, kBackwardFilterBeta,
                                  kBackwardFilterConvolution, kBackwardFilterX, kBackwardFilterW, kBackwardFilterY});
      break;
    case kOperationGraphType: finalize_graph(machine, record); break;
    case kHeuristicType: finalize_heuristic(machine, record); break;
    case kPlanType: finalize_plan(machine, record); break;
    case kVariantPackType: demand(length(record, kPackIds) == length(record, kPackPointers)); break;
    // Configurations come from heuristics alone: choosing engine and knobs oneself is not imitated.
    default: throw CudnnFailure{CudnnStatus::not_supported};
  }
  record.finalized = true;
}

}  // namespace gpuassay::fake
