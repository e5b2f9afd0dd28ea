// Compile-only: our declarations of cuDNN's ABI are those of <cudnn.h>, of 8 and of 9. Built once per set of headers.
#include <cudnn.h>
#include <gtest/gtest.h>

#include <cstddef>

#include "agent/dynlib/cudnn.h"
#include "tests/support/same_signature.h"

namespace gpuassay::cudnn {
namespace {

template <auto kOurMember, class Theirs>
constexpr bool kSame = test::kSameSignature<Api, kOurMember, Theirs>;
using test::kSameLayout;

static_assert(kSame<&Api::cudnnGetVersion, decltype(&::cudnnGetVersion)>);
static_assert(kSame<&Api::cudnnGetErrorString, decltype(&::cudnnGetErrorString)>);
static_assert(kSame<&Api::cudnnCreateTensorDescriptor, decltype(&::cudnnCreateTensorDescriptor)>);
static_assert(kSame<&Api::cudnnDestroyTensorDescriptor, decltype(&::cudnnDestroyTensorDescriptor)>);
static_assert(kSame<&Api::cudnnSetTensor4dDescriptor, decltype(&::cudnnSetTensor4dDescriptor)>);
static_assert(kSame<&Api::cudnnCreateFilterDescriptor, decltype(&::cudnnCreateFilterDescriptor)>);
static_assert(kSame<&Api::cudnnDestroyFilterDescriptor, decltype(&::cudnnDestroyFilterDescriptor)>);
static_assert(kSame<&Api::cudnnSetFilter4dDescriptor, decltype(&::cudnnSetFilter4dDescriptor)>);
static_assert(kSame<&Api::cudnnCreateConvolutionDescriptor, decltype(&::cudnnCreateConvolutionDescriptor)>);
static_assert(kSame<&Api::cudnnDestroyConvolutionDescriptor, decltype(&::cudnnDestroyConvolutionDescriptor)>);
static_assert(kSame<&Api::cudnnSetConvolution2dDescriptor, decltype(&::cudnnSetConvolution2dDescriptor)>);
static_assert(kSame<&Api::cudnnSetConvolutionMathType, decltype(&::cudnnSetConvolutionMathType)>);
static_assert(kSame<&Api::cudnnGetConvolution2dForwardOutputDim, decltype(&::cudnnGetConvolution2dForwardOutputDim)>);
static_assert(kSame<&Api::cudnnCreate, decltype(&::cudnnCreate)>);
static_assert(kSame<&Api::cudnnDestroy, decltype(&::cudnnDestroy)>);
static_assert(kSame<&Api::cudnnSetStream, decltype(&::cudnnSetStream)>);
static_assert(kSame<&Api::cudnnGetConvolutionForwardAlgorithm_v7, decltype(&::cudnnGetConvolutionForwardAlgorithm_v7)>);
static_assert(kSame<&Api::cudnnFindConvolutionForwardAlgorithmEx, decltype(&::cudnnFindConvolutionForwardAlgorithmEx)>);
static_assert(
    kSame<&Api::cudnnGetConvolutionForwardWorkspaceSize, decltype(&::cudnnGetConvolutionForwardWorkspaceSize)>);
static_assert(kSame<&Api::cudnnConvolutionForward, decltype(&::cudnnConvolutionForward)>);
static_assert(
    kSame<&Api::cudnnGetConvolutionBackwardDataAlgorithm_v7, decltype(&::cudnnGetConvolutionBackwardDataAlgorithm_v7)>);
static_assert(
    kSame<&Api::cudnnFindConvolutionBackwardDataAlgorithmEx, decltype(&::cudnnFindConvolutionBackwardDataAlgorithmEx)>);
static_assert(kSame<&Api::cudnnGetConvolutionBackwardDataWorkspaceSize,
                    decltype(&::cudnnGetConvolutionBackwardDataWorkspaceSize)>);
static_assert(kSame<&Api::cudnnConvolutionBackwardData, decltype(&::cudnnConvolutionBackwardData)>);
static_assert(kSame<&Api::cudnnGetConvolutionBackwardFilterAlgorithm_v7,
                    decltype(&::cudnnGetConvolutionBackwardFilterAlgorithm_v7)>);
static_assert(kSame<&Api::cudnnFindConvolutionBackwardFilterAlgorithmEx,
                    decltype(&::cudnnFindConvolutionBackwardFilterAlgorithmEx)>);
static_assert(kSame<&Api::cudnnGetConvolutionBackwardFilterWorkspaceSize,
                    decltype(&::cudnnGetConvolutionBackwardFilterWorkspaceSize)>);
static_assert(kSame<&Api::cudnnConvolutionBackwardFilter, decltype(&::cudnnConvolutionBackwardFilter)>);
static_assert(kSame<&Api::cudnnGetCudartVersion, decltype(&::cudnnGetCudartVersion)>);
#if CUDNN_MAJOR >= 9
static_assert(kSame<&Api::cudnnGetLastErrorString, decltype(&::cudnnGetLastErrorString)>);
#endif
static_assert(kSame<&Api::cudnnSetConvolutionGroupCount, decltype(&::cudnnSetConvolutionGroupCount)>);
static_assert(kSame<&Api::cudnnBackendCreateDescriptor, decltype(&::cudnnBackendCreateDescriptor)>);
static_assert(kSame<&Api::cudnnBackendDestroyDescriptor, decltype(&::cudnnBackendDestroyDescriptor)>);
static_assert(kSame<&Api::cudnnBackendSetAttribute, decltype(&::cudnnBackendSetAttribute)>);
static_assert(kSame<&Api::cudnnBackendGetAttribute, decltype(&::cudnnBackendGetAttribute)>);
static_assert(kSame<&Api::cudnnBackendFinalize, decltype(&::cudnnBackendFinalize)>);
static_assert(kSame<&Api::cudnnBackendExecute, decltype(&::cudnnBackendExecute)>);
// The comparison itself can fail.
static_assert(!kSame<&Api::cudnnCreate, decltype(&::cudnnDestroy)>);
static_assert(!kSame<&Api::cudnnConvolutionForward, decltype(&::cudnnFindConvolutionForwardAlgorithmEx)>);

template <class Theirs>
constexpr bool kSamePerf = kSameLayout<AlgoPerf, Theirs> && offsetof(AlgoPerf, algo) == offsetof(Theirs, algo) &&
                           offsetof(AlgoPerf, status) == offsetof(Theirs, status) &&
                           offsetof(AlgoPerf, milliseconds) == offsetof(Theirs, time) &&
                           offsetof(AlgoPerf, workspace_bytes) == offsetof(Theirs, memory) &&
                           offsetof(AlgoPerf, determinism) == offsetof(Theirs, determinism) &&
                           offsetof(AlgoPerf, math_type) == offsetof(Theirs, mathType);
static_assert(kSamePerf<cudnnConvolutionFwdAlgoPerf_t> && kSamePerf<cudnnConvolutionBwdDataAlgoPerf_t> &&
              kSamePerf<cudnnConvolutionBwdFilterAlgoPerf_t>);
static_assert(int{kSuccess} == CUDNN_STATUS_SUCCESS);
static_assert(int{kFloat} == CUDNN_DATA_FLOAT);
static_assert(int{kDouble} == CUDNN_DATA_DOUBLE);
static_assert(int{kHalf} == CUDNN_DATA_HALF);
static_assert(int{kBfloat16} == CUDNN_DATA_BFLOAT16);
static_assert(int{kNchw} == CUDNN_TENSOR_NCHW);
static_assert(int{kNhwc} == CUDNN_TENSOR_NHWC);
static_assert(int{kCrossCorrelation} == CUDNN_CROSS_CORRELATION);
static_assert(int{kDefaultMath} == CUDNN_DEFAULT_MATH);
static_assert(int{kTensorOpMath} == CUDNN_TENSOR_OP_MATH);
static_assert(int{kTensorOpMathAllowConversion} == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION);
static_assert(int{kFmaMath} == CUDNN_FMA_MATH);
static_assert(int{kNonDeterministic} == CUDNN_NON_DETERMINISTIC);
static_assert(int{kDeterministic} == CUDNN_DETERMINISTIC);
static_assert(int{kForwardAlgos} == CUDNN_CONVOLUTION_FWD_ALGO_COUNT);
static_assert(int{kBackwardDataAlgos} == CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT);
static_assert(int{kBackwardFilterAlgos} == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT);
static_assert(int{kForwardPrecomputedGemm} == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM);
static_assert(int{kForwardFft} == CUDNN_CONVOLUTION_FWD_ALGO_FFT);
static_assert(int{kForwardWinogradNonfused} == CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED);
static_assert(int{kBackwardAlgo1} == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 &&
              int{kBackwardAlgo1} == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1);
static_assert(int{kBackwardFft} == CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT &&
              int{kBackwardFft} == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT);
static_assert(int{kBackwardWinogradNonfused} == CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED &&
              int{kBackwardWinogradNonfused} == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED);

TEST(CudnnAbi, StatusesAreClassifiedByTheLibrarysOwnNumbering) {
  EXPECT_EQ(classify(CUDNN_STATUS_SUCCESS), StatusKind::success);
  EXPECT_EQ(classify(CUDNN_STATUS_NOT_SUPPORTED), StatusKind::unsupported);
  EXPECT_EQ(classify(CUDNN_STATUS_ARCH_MISMATCH), StatusKind::unsupported);
  EXPECT_EQ(classify(CUDNN_STATUS_ALLOC_FAILED), StatusKind::out_of_memory);
  EXPECT_EQ(classify(CUDNN_STATUS_BAD_PARAM), StatusKind::failed);
  EXPECT_EQ(classify(CUDNN_STATUS_EXECUTION_FAILED), StatusKind::failed);
  EXPECT_EQ(classify(CUDNN_STATUS_NOT_INITIALIZED), StatusKind::failed);
}

}  // namespace
}  // namespace gpuassay::cudnn
