// Which numbers does cuDNN's backend ("graph") API speak? There everything is a descriptor made of attributes, which
// are set, finalized and then asked; the functions are in cudnn.h. The same numbers in cuDNN 8 and 9. Our own
// declarations; tests/component/cudnn_abi_test.cpp compares them with <cudnn.h>.
#pragma once

namespace gpuassay::cudnn {

using BackendDescriptor = void*;

enum BackendType : int {
  kConvolutionType = 1,
  kEngineType = 2,
  kEngineConfigType = 3,
  kHeuristicType = 4,
  kPlanType = 5,
  kKnobChoiceType = 7,
  kForwardType = 10,
  kBackwardFilterType = 11,
  kBackwardDataType = 12,
  kOperationGraphType = 15,
  kVariantPackType = 16,
  kTensorType = 17,
};

/// What the elements of an attribute are.
enum AttributeType : int {
  kHandleElement = 0,
  kDataTypeElement = 1,
  kBooleanElement = 2,
  kInt64Element = 3,
  kFloatElement = 4,
  kPointerElement = 6,
  kConvolutionModeElement = 7,
  kHeuristicModeElement = 8,
  kKnobTypeElement = 9,
  kNumericalNoteElement = 11,
  kDescriptorElement = 15,
  kBehaviorNoteElement = 19,
};

enum Attribute : int {
  kConvolutionComputeType = 100,
  kConvolutionMode = 101,
  kConvolutionDilations = 102,
  kConvolutionStrides = 103,
  kConvolutionPostPaddings = 104,
  kConvolutionPrePaddings = 105,
  kConvolutionSpatialDimensions = 106,
  kHeuristicMode = 200,
  kHeuristicGraph = 201,
  kHeuristicResults = 202,
  kConfigEngine = 300,
  kConfigKnobChoices = 302,
  kPlanHandle = 400,
  kPlanConfig = 401,
  kPlanWorkspaceSize = 402,
  kKnobType = 600,
  kKnobValue = 601,
  kForwardAlpha = 700,
  kForwardBeta = 701,
  kForwardConvolution = 702,
  kForwardW = 703,
  kForwardX = 704,
  kForwardY = 705,
  kBackwardDataAlpha = 706,
  kBackwardDataBeta = 707,
  kBackwardDataConvolution = 708,
  kBackwardDataW = 709,
  kBackwardDataX = 710,
  kBackwardDataY = 711,
  kBackwardFilterAlpha = 712,
  kBackwardFilterBeta = 713,
  kBackwardFilterConvolution = 714,
  kBackwardFilterW = 715,
  kBackwardFilterX = 716,
  kBackwardFilterY = 717,
  kGraphHandle = 800,
  kGraphOperations = 801,
  kTensorAlignment = 900,
  kTensorDataType = 901,
  kTensorDimensions = 902,
  kTensorStrides = 903,
  kTensorId = 906,
  kPackIds = 1000,
  kPackPointers = 1001,
  kPackWorkspace = 1003,
  kEngineIndex = 1301,
  kEngineNumericalNotes = 1303,
  kEngineBehaviorNotes = 1305,
};

/// How engine configurations are guessed, the best first. A is the successor of instant; fallback lists what always
/// works.
enum HeuristicModeValue : int { kModeInstant = 0, kModeFallback = 2, kModeA = 3 };

/// What an engine does to the numbers.
enum NumericalNote : int {
  kNoteTensorCore = 0,  ///< of float data: it computes in TF32
  kNoteDownConvertInputs = 1,
  kNoteReducedPrecisionReduction = 2,
  kNoteFft = 3,
  kNoteNonDeterministic = 4,
  kNoteWinograd = 5,
  kNoteWinogradTile4x4 = 6,
  kNoteWinogradTile6x6 = 7,
  kNoteWinogradTile13x13 = 8,
};

enum BehaviorNote : int {
  kNoteRuntimeCompilation = 0,
  kNoteFilterReorder = 1,  ///< the weights must be stored in an order of its own
  kNoteBiasReorder = 2,
};

}  // namespace gpuassay::cudnn
