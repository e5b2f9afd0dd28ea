// Compile-only: the numbers of cuDNN's backend API are those of <cudnn.h>, of 8 and of 9. Built once per set of
// headers.
#include "agent/dynlib/cudnn_backend.h"

#include <cudnn.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace gpuassay::cudnn {
namespace {

static_assert(std::is_same_v<BackendDescriptor, cudnnBackendDescriptor_t>);
// Elements travel as int where the library has an enum.
static_assert(sizeof(cudnnDataType_t) == sizeof(int) && sizeof(cudnnConvolutionMode_t) == sizeof(int) &&
              sizeof(cudnnBackendHeurMode_t) == sizeof(int) && sizeof(cudnnBackendKnobType_t) == sizeof(int) &&
              sizeof(cudnnBackendNumericalNote_t) == sizeof(int) && sizeof(cudnnBackendBehaviorNote_t) == sizeof(int));

static_assert(int{kConvolutionType} == CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
static_assert(int{kEngineType} == CUDNN_BACKEND_ENGINE_DESCRIPTOR);
static_assert(int{kEngineConfigType} == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
static_assert(int{kHeuristicType} == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
static_assert(int{kPlanType} == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
static_assert(int{kKnobChoiceType} == CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
static_assert(int{kForwardType} == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
static_assert(int{kBackwardFilterType} == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
static_assert(int{kBackwardDataType} == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
static_assert(int{kOperationGraphType} == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
static_assert(int{kVariantPackType} == CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
static_assert(int{kTensorType} == CUDNN_BACKEND_TENSOR_DESCRIPTOR);
static_assert(int{kHandleElement} == CUDNN_TYPE_HANDLE);
static_assert(int{kDataTypeElement} == CUDNN_TYPE_DATA_TYPE);
static_assert(int{kBooleanElement} == CUDNN_TYPE_BOOLEAN);
static_assert(int{kInt64Element} == CUDNN_TYPE_INT64);
static_assert(int{kFloatElement} == CUDNN_TYPE_FLOAT);
static_assert(int{kPointerElement} == CUDNN_TYPE_VOID_PTR);
static_assert(int{kConvolutionModeElement} == CUDNN_TYPE_CONVOLUTION_MODE);
static_assert(int{kHeuristicModeElement} == CUDNN_TYPE_HEUR_MODE);
static_assert(int{kKnobTypeElement} == CUDNN_TYPE_KNOB_TYPE);
static_assert(int{kNumericalNoteElement} == CUDNN_TYPE_NUMERICAL_NOTE);
static_assert(int{kDescriptorElement} == CUDNN_TYPE_BACKEND_DESCRIPTOR);
static_assert(int{kBehaviorNoteElement} == CUDNN_TYPE_BEHAVIOR_NOTE);
static_assert(int{kConvolutionComputeType} == CUDNN_ATTR_CONVOLUTION_COMP_TYPE);
static_assert(int{kConvolutionMode} == CUDNN_ATTR_CONVOLUTION_CONV_MODE);
static_assert(int{kConvolutionDilations} == CUDNN_ATTR_CONVOLUTION_DILATIONS);
static_assert(int{kConvolutionStrides} == CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
static_assert(int{kConvolutionPostPaddings} == CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
static_assert(int{kConvolutionPrePaddings} == CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
static_assert(int{kConvolutionSpatialDimensions} == CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS);
static_assert(int{kHeuristicMode} == CUDNN_ATTR_ENGINEHEUR_MODE);
static_assert(int{kHeuristicGraph} == CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
static_assert(int{kHeuristicResults} == CUDNN_ATTR_ENGINEHEUR_RESULTS);
static_assert(int{kConfigEngine} == CUDNN_ATTR_ENGINECFG_ENGINE);
static_assert(int{kConfigKnobChoices} == CUDNN_ATTR_ENGINECFG_KNOB_CHOICES);
static_assert(int{kPlanHandle} == CUDNN_ATTR_EXECUTION_PLAN_HANDLE);
static_assert(int{kPlanConfig} == CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
static_assert(int{kPlanWorkspaceSize} == CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
static_assert(int{kKnobType} == CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE);
static_assert(int{kKnobValue} == CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE);
static_assert(int{kForwardAlpha} == CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA);
static_assert(int{kForwardBeta} == CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA);
static_assert(int{kForwardConvolution} == CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
static_assert(int{kForwardW} == CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W);
static_assert(int{kForwardX} == CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X);
static_assert(int{kForwardY} == CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
static_assert(int{kBackwardDataAlpha} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA);
static_assert(int{kBackwardDataBeta} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA);
static_assert(int{kBackwardDataConvolution} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC);
static_assert(int{kBackwardDataW} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W);
static_assert(int{kBackwardDataX} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
static_assert(int{kBackwardDataY} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY);
static_assert(int{kBackwardFilterAlpha} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA);
static_assert(int{kBackwardFilterBeta} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA);
static_assert(int{kBackwardFilterConvolution} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC);
static_assert(int{kBackwardFilterW} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW);
static_assert(int{kBackwardFilterX} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X);
static_assert(int{kBackwardFilterY} == CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY);
static_assert(int{kGraphHandle} == CUDNN_ATTR_OPERATIONGRAPH_HANDLE);
static_assert(int{kGraphOperations} == CUDNN_ATTR_OPERATIONGRAPH_OPS);
static_assert(int{kTensorAlignment} == CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
static_assert(int{kTensorDataType} == CUDNN_ATTR_TENSOR_DATA_TYPE);
static_assert(int{kTensorDimensions} == CUDNN_ATTR_TENSOR_DIMENSIONS);
static_assert(int{kTensorStrides} == CUDNN_ATTR_TENSOR_STRIDES);
static_assert(int{kTensorId} == CUDNN_ATTR_TENSOR_UNIQUE_ID);
static_assert(int{kPackIds} == CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
static_assert(int{kPackPointers} == CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
static_assert(int{kPackWorkspace} == CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
static_assert(int{kEngineIndex} == CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
static_assert(int{kEngineNumericalNotes} == CUDNN_ATTR_ENGINE_NUMERICAL_NOTE);
static_assert(int{kEngineBehaviorNotes} == CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE);
static_assert(int{kModeInstant} == CUDNN_HEUR_MODE_INSTANT);
static_assert(int{kModeFallback} == CUDNN_HEUR_MODE_FALLBACK);
static_assert(int{kModeA} == CUDNN_HEUR_MODE_A);
static_assert(int{kNoteTensorCore} == CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
static_assert(int{kNoteDownConvertInputs} == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS);
static_assert(int{kNoteReducedPrecisionReduction} == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION);
static_assert(int{kNoteFft} == CUDNN_NUMERICAL_NOTE_FFT);
static_assert(int{kNoteNonDeterministic} == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
static_assert(int{kNoteWinograd} == CUDNN_NUMERICAL_NOTE_WINOGRAD);
static_assert(int{kNoteWinogradTile4x4} == CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4);
static_assert(int{kNoteWinogradTile6x6} == CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6);
static_assert(int{kNoteWinogradTile13x13} == CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13);
static_assert(int{kNoteRuntimeCompilation} == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION);
static_assert(int{kNoteFilterReorder} == CUDNN_BEHAVIOR_NOTE_REQUIRES_FILTER_INT8x32_REORDER);
static_assert(int{kNoteBiasReorder} == CUDNN_BEHAVIOR_NOTE_REQUIRES_BIAS_INT8x32_REORDER);

TEST(CudnnBackendAbi, NumbersWereComparedWhenThisFileWasCompiled) { EXPECT_GE(CUDNN_MAJOR, 8); }

}  // namespace
}  // namespace gpuassay::cudnn
