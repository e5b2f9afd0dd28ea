// The fake libcudnn.so.N: versions, statuses, descriptors; FAKE_MAJOR is N.
#include "tests/support/fake_gpu/cudnn_exports.h"
#include "tests/support/fake_gpu/cudnn_records.h"

namespace gpuassay::cudnn {

using fake::cudnn_call;
using fake::CudnnFailure;
using fake::CudnnStatus;
using fake::Machine;

namespace {

bool is_data_type(int type) { return type == kFloat || type == kDouble || type == kHalf || type == kBfloat16; }

template <class Record, class Handle>
void make(Machine& machine, Handle* handle) {
  if (handle == nullptr) throw CudnnFailure{CudnnStatus::bad_param};
  *handle = machine.adopt(std::make_unique<Record>());
}

fake::Tensor4 tensor_of(int format, int data_type, int n, int c, int h, int w) {
  if (format != kNchw && format != kNhwc) throw CudnnFailure{CudnnStatus::not_supported};
  if (!is_data_type(data_type) || n < 1 || c < 1 || h < 1 || w < 1) throw CudnnFailure{CudnnStatus::bad_param};
  fake::Tensor4 tensor;
  tensor.data_type = data_type;
  tensor.channels_last = format == kNhwc;
  tensor.n = n;
  tensor.c = c;
  tensor.h = h;
  tensor.w = w;
  return tensor;
}

}  // namespace

std::size_t cudnnGetVersion() {
  const fake::Version version = fake::cudnn_version();
  const int major = version.major >= 9 ? 10000 * version.major : 1000 * version.major;
  const int number = major + 100 * version.minor + version.patch;
  return static_cast<std::size_t>(number);
}

std::size_t cudnnGetCudartVersion() {
  // The last toolkit of each line: cuDNN 8 came for CUDA 11 and 12, 9 for 12 and 13.
  return FAKE_MAJOR >= 9 ? 12080 : 11080;
}

const char* cudnnGetErrorString(int status) {
  using fake::numbered;
  if (status == 0) return "CUDNN_STATUS_SUCCESS";
  if (status == numbered(CudnnStatus::not_initialized)) return "CUDNN_STATUS_NOT_INITIALIZED";
  if (status == numbered(CudnnStatus::alloc_failed)) return "CUDNN_STATUS_ALLOC_FAILED";
  if (status == numbered(CudnnStatus::bad_param)) return "CUDNN_STATUS_BAD_PARAM";
  if (status == numbered(CudnnStatus::not_supported)) return "CUDNN_STATUS_NOT_SUPPORTED";
  if (status == numbered(CudnnStatus::arch_mismatch)) return "CUDNN_STATUS_ARCH_MISMATCH";
  if (status == numbered(CudnnStatus::execution_failed)) return "CUDNN_STATUS_EXECUTION_FAILED";
  if (status == numbered(CudnnStatus::internal_error)) return "CUDNN_STATUS_INTERNAL_ERROR";
  return "CUDNN_UNKNOWN_STATUS";
}

void cudnnGetLastErrorString(char* text, std::size_t bytes) {
  if (bytes > 0) std::snprintf(text, bytes, "fake cuDNN keeps no last error");
}

int cudnnCreateTensorDescriptor(Tensor* tensor) {
  return cudnn_call([&](Machine& machine) { make<TensorRecord>(machine, tensor); });
}

int cudnnDestroyTensorDescriptor(Tensor tensor) {
  return cudnn_call([&](Machine& machine) { machine.release(tensor); });
}

int cudnnSetTensor4dDescriptor(Tensor tensor, int format, int data_type, int n, int c, int h, int w) {
  return cudnn_call(
      [&](Machine& machine) { machine.checked(tensor).tensor = tensor_of(format, data_type, n, c, h, w); });
}

int cudnnCreateFilterDescriptor(Filter* filter) {
  return cudnn_call([&](Machine& machine) { make<FilterRecord>(machine, filter); });
}

int cudnnDestroyFilterDescriptor(Filter filter) {
  return cudnn_call([&](Machine& machine) { machine.release(filter); });
}

int cudnnSetFilter4dDescriptor(Filter filter, int data_type, int format, int k, int c, int h, int w) {
  return cudnn_call(
      [&](Machine& machine) { machine.checked(filter).tensor = tensor_of(format, data_type, k, c, h, w); });
}

int cudnnCreateConvolutionDescriptor(Convolution* convolution) {
  return cudnn_call([&](Machine& machine) { make<ConvolutionRecord>(machine, convolution); });
}

int cudnnDestroyConvolutionDescriptor(Convolution convolution) {
  return cudnn_call([&](Machine& machine) { machine.release(convolution); });
}

int cudnnSetConvolution2dDescriptor(Convolution convolution, int pad_h, int pad_w, int stride_h, int stride_w,
                                    int dilation_h, int dilation_w, int mode, int compute_type) {
  return cudnn_call([&](Machine& machine) {
    const bool sizes = pad_h >= 0 && pad_w >= 0 && stride_h > 0 && stride_w > 0 && dilation_h > 0 && dilation_w > 0;
    if (!sizes || !is_data_type(compute_type)) throw CudnnFailure{CudnnStatus::bad_param};
    // Only cross-correlation, which is what networks call convolution, is imitated.
    if (mode != kCrossCorrelation) throw CudnnFailure{CudnnStatus::not_supported};
    fake::Convolution& how = machine.checked(convolution).convolution;
    how.pad_h = pad_h;
    how.pad_w = pad_w;
    how.stride_h = stride_h;
    how.stride_w = stride_w;
    how.dilation_h = dilation_h;
    how.dilation_w = dilation_w;
    how.compute_type = compute_type;
  });
}

int cudnnSetConvolutionMathType(Convolution convolution, int math_type) {
  return cudnn_call([&](Machine& machine) {
    if (math_type < kDefaultMath || math_type > kFmaMath) throw CudnnFailure{CudnnStatus::bad_param};
    machine.checked(convolution).convolution.math_type = math_type;
  });
}

int cudnnSetConvolutionGroupCount(Convolution convolution, int groups) {
  return cudnn_call([&](Machine& machine) { machine.checked(convolution).convolution.groups = groups; });
}

int cudnnGetConvolution2dForwardOutputDim(Convolution convolution, Tensor x, Filter w, int* n, int* c, int* h,
                                          int* w_out) {
  return cudnn_call([&](Machine& machine) {
    const fake::Convolution& how = machine.checked(convolution).convolution;
    const fake::Tensor4& input = machine.checked(x).tensor;
    const fake::Tensor4& filter = machine.checked(w).tensor;
    *n = input.n;
    *c = filter.n;
    *h = fake::output_size(input.h, filter.h, how.pad_h, how.stride_h, how.dilation_h);
    *w_out = fake::output_size(input.w, filter.w, how.pad_w, how.stride_w, how.dilation_w);
  });
}

namespace {

/// Compiles only while the prototypes are those of the agent's table.
[[maybe_unused]] const Api kSamePrototypes{
    .cudnnGetVersion = cudnnGetVersion,
    .cudnnGetErrorString = cudnnGetErrorString,
    .cudnnCreateTensorDescriptor = cudnnCreateTensorDescriptor,
    .cudnnDestroyTensorDescriptor = cudnnDestroyTensorDescriptor,
    .cudnnSetTensor4dDescriptor = cudnnSetTensor4dDescriptor,
    .cudnnCreateFilterDescriptor = cudnnCreateFilterDescriptor,
    .cudnnDestroyFilterDescriptor = cudnnDestroyFilterDescriptor,
    .cudnnSetFilter4dDescriptor = cudnnSetFilter4dDescriptor,
    .cudnnCreateConvolutionDescriptor = cudnnCreateConvolutionDescriptor,
    .cudnnDestroyConvolutionDescriptor = cudnnDestroyConvolutionDescriptor,
    .cudnnSetConvolution2dDescriptor = cudnnSetConvolution2dDescriptor,
    .cudnnSetConvolutionMathType = cudnnSetConvolutionMathType,
    .cudnnCreate = cudnnCreate,
    .cudnnDestroy = cudnnDestroy,
    .cudnnSetStream = cudnnSetStream,
    .cudnnFindConvolutionForwardAlgorithmEx = cudnnFindConvolutionForwardAlgorithmEx,
    .cudnnConvolutionForward = cudnnConvolutionForward,
    .cudnnFindConvolutionBackwardDataAlgorithmEx = cudnnFindConvolutionBackwardDataAlgorithmEx,
    .cudnnConvolutionBackwardData = cudnnConvolutionBackwardData,
    .cudnnFindConvolutionBackwardFilterAlgorithmEx = cudnnFindConvolutionBackwardFilterAlgorithmEx,
    .cudnnConvolutionBackwardFilter = cudnnConvolutionBackwardFilter,
    .cudnnGetCudartVersion = cudnnGetCudartVersion,
    .cudnnGetLastErrorString = cudnnGetLastErrorString,
    .cudnnSetConvolutionGroupCount = cudnnSetConvolutionGroupCount,
    .cudnnGetConvolution2dForwardOutputDim = cudnnGetConvolution2dForwardOutputDim,
    .cudnnGetConvolutionForwardAlgorithm_v7 = cudnnGetConvolutionForwardAlgorithm_v7,
    .cudnnGetConvolutionForwardWorkspaceSize = cudnnGetConvolutionForwardWorkspaceSize,
    .cudnnGetConvolutionBackwardDataAlgorithm_v7 = cudnnGetConvolutionBackwardDataAlgorithm_v7,
    .cudnnGetConvolutionBackwardDataWorkspaceSize = cudnnGetConvolutionBackwardDataWorkspaceSize,
    .cudnnGetConvolutionBackwardFilterAlgorithm_v7 = cudnnGetConvolutionBackwardFilterAlgorithm_v7,
    .cudnnGetConvolutionBackwardFilterWorkspaceSize = cudnnGetConvolutionBackwardFilterWorkspaceSize,
    .cudnnBackendCreateDescriptor = cudnnBackendCreateDescriptor,
    .cudnnBackendDestroyDescriptor = cudnnBackendDestroyDescriptor,
    .cudnnBackendSetAttribute = cudnnBackendSetAttribute,
    .cudnnBackendGetAttribute = cudnnBackendGetAttribute,
    .cudnnBackendFinalize = cudnnBackendFinalize,
    .cudnnBackendExecute = cudnnBackendExecute,
};

}  // namespace
}  // namespace gpuassay::cudnn
