// The exported functions of the fake libcudnn.so.N; compared with the agent's table in cudnn_descriptors.cpp.
#pragma once

#include "agent/dynlib/cudnn.h"

namespace gpuassay::cudnn {
#pragma GCC visibility push(default)
extern "C" {
std::size_t cudnnGetVersion();
const char* cudnnGetErrorString(int status);
int cudnnCreateTensorDescriptor(Tensor* tensor);
int cudnnDestroyTensorDescriptor(Tensor tensor);
int cudnnSetTensor4dDescriptor(Tensor tensor, int format, int data_type, int n, int c, int h, int w);
int cudnnCreateFilterDescriptor(Filter* filter);
int cudnnDestroyFilterDescriptor(Filter filter);
int cudnnSetFilter4dDescriptor(Filter filter, int data_type, int format, int k, int c, int h, int w);
int cudnnCreateConvolutionDescriptor(Convolution* convolution);
int cudnnDestroyConvolutionDescriptor(Convolution convolution);
int cudnnSetConvolution2dDescriptor(Convolution convolution, int pad_h, int pad_w, int stride_h, int stride_w,
                                    int dilation_h, int dilation_w, int mode, int compute_type);
int cudnnSetConvolutionMathType(Convolution convolution, int math_type);
int cudnnGetConvolution2dForwardOutputDim(Convolution convolution, Tensor x, Filter w, int* n, int* c, int* h,
                                          int* w_out);
int cudnnCreate(Handle* handle);
int cudnnDestroy(Handle handle);
int cudnnSetStream(Handle handle, cuda::Stream stream);
int cudnnGetConvolutionForwardAlgorithm_v7(Handle handle, Tensor x, Filter w, Convolution convolution, Tensor y,
                                           int requested, int* returned, AlgoPerf* results);
int cudnnFindConvolutionForwardAlgorithmEx(Handle handle, Tensor x_desc, const void* x, Filter w_desc, const void* w,
                                           Convolution convolution, Tensor y_desc, void* y, int requested,
                                           int* returned, AlgoPerf* results, void* workspace,
                                           std::size_t workspace_bytes);
int cudnnGetConvolutionForwardWorkspaceSize(Handle handle, Tensor x, Filter w, Convolution convolution, Tensor y,
                                            int algo, std::size_t* bytes);
int cudnnConvolutionForward(Handle handle, const void* alpha, Tensor x_desc, const void* x, Filter w_desc,
                            const void* w, Convolution convolution, int algo, void* workspace,
                            std::size_t workspace_bytes, const void* beta, Tensor y_desc, void* y);
int cudnnGetConvolutionBackwardDataAlgorithm_v7(Handle handle, Filter w, Tensor dy, Convolution convolution, Tensor dx,
                                                int requested, int* returned, AlgoPerf* results);
int cudnnFindConvolutionBackwardDataAlgorithmEx(Handle handle, Filter w_desc, const void* w, Tensor dy_desc,
                                                const void* dy, Convolution convolution, Tensor dx_desc, void* dx,
                                                int requested, int* returned, AlgoPerf* results, void* workspace,
                                                std::size_t workspace_bytes);
int cudnnGetConvolutionBackwardDataWorkspaceSize(Handle handle, Filter w, Tensor dy, Convolution convolution, Tensor dx,
                                                 int algo, std::size_t* bytes);
int cudnnConvolutionBackwardData(Handle handle, const void* alpha, Filter w_desc, const void* w, Tensor dy_desc,
                                 const void* dy, Convolution convolution, int algo, void* workspace,
                                 std::size_t workspace_bytes, const void* beta, Tensor dx_desc, void* dx);
int cudnnGetConvolutionBackwardFilterAlgorithm_v7(Handle handle, Tensor x, Tensor dy, Convolution convolution,
                                                  Filter dw, int requested, int* returned, AlgoPerf* results);
int cudnnFindConvolutionBackwardFilterAlgorithmEx(Handle handle, Tensor x_desc, const void* x, Tensor dy_desc,
                                                  const void* dy, Convolution convolution, Filter dw_desc, void* dw,
                                                  int requested, int* returned, AlgoPerf* results, void* workspace,
                                                  std::size_t workspace_bytes);
int cudnnGetConvolutionBackwardFilterWorkspaceSize(Handle handle, Tensor x, Tensor dy, Convolution convolution,
                                                   Filter dw, int algo, std::size_t* bytes);
int cudnnConvolutionBackwardFilter(Handle handle, const void* alpha, Tensor x_desc, const void* x, Tensor dy_desc,
                                   const void* dy, Convolution convolution, int algo, void* workspace,
                                   std::size_t workspace_bytes, const void* beta, Filter dw_desc, void* dw);
std::size_t cudnnGetCudartVersion();
void cudnnGetLastErrorString(char* text, std::size_t bytes);
int cudnnSetConvolutionGroupCount(Convolution convolution, int groups);
int cudnnBackendCreateDescriptor(int type, BackendDescriptor* descriptor);
int cudnnBackendDestroyDescriptor(BackendDescriptor descriptor);
int cudnnBackendSetAttribute(BackendDescriptor descriptor, int attribute, int element_type, std::int64_t count,
                             const void* elements);
int cudnnBackendGetAttribute(BackendDescriptor descriptor, int attribute, int element_type, std::int64_t requested,
                             std::int64_t* count, void* elements);
int cudnnBackendFinalize(BackendDescriptor descriptor);
int cudnnBackendExecute(Handle handle, BackendDescriptor plan, BackendDescriptor variant_pack);
}
#pragma GCC visibility pop
}  // namespace gpuassay::cudnn
