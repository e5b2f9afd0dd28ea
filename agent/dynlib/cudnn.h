// Which functions of cuDNN 8 and 9 (libcudnn.so.N) does gpuassay call? The legacy convolution calls and the backend
// ("graph") API, whose prototypes and enums are the same in both; only the status codes were renumbered. Our own
// declarations; tests/component/cudnn_abi_test.cpp compares them with <cudnn.h>.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <vector>

#include "agent/dynlib/cublas.h"
#include "agent/dynlib/cudnn_backend.h"
#include "agent/dynlib/function_table.h"
#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/library_version.h"
#include "agent/dynlib/shared_library.h"

namespace gpuassay::cudnn {

/// Newest first.
inline constexpr std::array<const char*, 2> kSonames = {"libcudnn.so.9", "libcudnn.so.8"};

// ---- the ABI of cuDNN; enums travel as int ----
struct HandleRecord;
struct TensorRecord;
struct FilterRecord;
struct ConvolutionRecord;
using Handle = HandleRecord*;
using Tensor = TensorRecord*;
using Filter = FilterRecord*;
using Convolution = ConvolutionRecord*;

/// Zero is success in both versions; every other code means something else in 8 and in 9. See classify().
inline constexpr int kSuccess = 0;

enum DataType : int { kFloat = 0, kDouble = 1, kHalf = 2, kBfloat16 = 9 };
enum TensorFormat : int { kNchw = 0, kNhwc = 1 };
enum ConvolutionMode : int { kCrossCorrelation = 1 };
enum MathType : int {
  kDefaultMath = 0,  ///< may use tensor cores; TF32 for float data from compute capability 8.0 on
  kTensorOpMath = 1,
  kTensorOpMathAllowConversion = 2,
  kFmaMath = 3,
};
enum Determinism : int { kNonDeterministic = 0, kDeterministic = 1 };
/// How many algorithms each direction has; an array of this size takes every answer.
inline constexpr int kForwardAlgos = 8, kBackwardDataAlgos = 6, kBackwardFilterAlgos = 7;
/// Some of their numbers; both gradients number alike.
enum Algo : int {
  kForwardPrecomputedGemm = 1,
  kForwardFft = 4,
  kForwardWinogradNonfused = 7,
  kBackwardAlgo1 = 1,
  kBackwardFft = 2,
  kBackwardWinogradNonfused = 5,
};

/// One answer of a Find or Get call: the same layout for all three directions.
struct AlgoPerf {
  int algo;
  int status;  ///< of the loaded version's numbering
  float milliseconds;
  std::size_t workspace_bytes;
  int determinism;
  int math_type;
  int reserved[3];
};

/// What a cuDNN opens by soname while it works and is to find open already.
struct Companions {
  std::optional<LibraryCandidate> cublas, nvrtc;
};

/// The functions, under their exported names. Required ones are never null; optional ones may be.
/// x is the input, w the filter, y the output, d.. their gradients.
struct Api {
  // required; those above the line work without a GPU
  std::size_t (*cudnnGetVersion)() = nullptr;
  const char* (*cudnnGetErrorString)(int status) = nullptr;
  int (*cudnnCreateTensorDescriptor)(Tensor* tensor) = nullptr;
  int (*cudnnDestroyTensorDescriptor)(Tensor) = nullptr;
  int (*cudnnSetTensor4dDescriptor)(Tensor, int format, int data_type, int n, int c, int h, int w) = nullptr;
  int (*cudnnCreateFilterDescriptor)(Filter* filter) = nullptr;
  int (*cudnnDestroyFilterDescriptor)(Filter) = nullptr;
  int (*cudnnSetFilter4dDescriptor)(Filter, int data_type, int format, int k, int c, int h, int w) = nullptr;
  int (*cudnnCreateConvolutionDescriptor)(Convolution* convolution) = nullptr;
  int (*cudnnDestroyConvolutionDescriptor)(Convolution) = nullptr;
  int (*cudnnSetConvolution2dDescriptor)(Convolution, int pad_h, int pad_w, int stride_h, int stride_w, int dilation_h,
                                         int dilation_w, int mode, int compute_type) = nullptr;
  int (*cudnnSetConvolutionMathType)(Convolution, int math_type) = nullptr;
  // -----
  int (*cudnnCreate)(Handle* handle) = nullptr;
  int (*cudnnDestroy)(Handle) = nullptr;
  int (*cudnnSetStream)(Handle, cuda::Stream) = nullptr;
  int (*cudnnFindConvolutionForwardAlgorithmEx)(Handle, Tensor x_desc, const void* x, Filter w_desc, const void* w,
                                                Convolution, Tensor y_desc, void* y, int requested, int* returned,
                                                AlgoPerf* results, void* workspace,
                                                std::size_t workspace_bytes) = nullptr;
  int (*cudnnConvolutionForward)(Handle, const void* alpha, Tensor x_desc, const void* x, Filter w_desc, const void* w,
                                 Convolution, int algo, void* workspace, std::size_t workspace_bytes, const void* beta,
                                 Tensor y_desc, void* y) = nullptr;
  int (*cudnnFindConvolutionBackwardDataAlgorithmEx)(Handle, Filter w_desc, const void* w, Tensor dy_desc,
                                                     const void* dy, Convolution, Tensor dx_desc, void* dx,
                                                     int requested, int* returned, AlgoPerf* results, void* workspace,
                                                     std::size_t workspace_bytes) = nullptr;
  int (*cudnnConvolutionBackwardData)(Handle, const void* alpha, Filter w_desc, const void* w, Tensor dy_desc,
                                      const void* dy, Convolution, int algo, void* workspace,
                                      std::size_t workspace_bytes, const void* beta, Tensor dx_desc,
                                      void* dx) = nullptr;
  int (*cudnnFindConvolutionBackwardFilterAlgorithmEx)(Handle, Tensor x_desc, const void* x, Tensor dy_desc,
                                                       const void* dy, Convolution, Filter dw_desc, void* dw,
                                                       int requested, int* returned, AlgoPerf* results, void* workspace,
                                                       std::size_t workspace_bytes) = nullptr;
  int (*cudnnConvolutionBackwardFilter)(Handle, const void* alpha, Tensor x_desc, const void* x, Tensor dy_desc,
                                        const void* dy, Convolution, int algo, void* workspace,
                                        std::size_t workspace_bytes, const void* beta, Filter dw_desc,
                                        void* dw) = nullptr;
  // optional
  std::size_t (*cudnnGetCudartVersion)() = nullptr;  ///< 1000 x major + 10 x minor of the CUDA it is built with
  void (*cudnnGetLastErrorString)(char* text, std::size_t bytes) = nullptr;  ///< from 9.0: what it last complained of
  int (*cudnnSetConvolutionGroupCount)(Convolution, int groups) = nullptr;
  int (*cudnnGetConvolution2dForwardOutputDim)(Convolution, Tensor x, Filter w, int* n, int* c, int* h,
                                               int* w_out) = nullptr;
  int (*cudnnGetConvolutionForwardAlgorithm_v7)(Handle, Tensor x, Filter w, Convolution, Tensor y, int requested,
                                                int* returned, AlgoPerf* results) = nullptr;
  int (*cudnnGetConvolutionForwardWorkspaceSize)(Handle, Tensor x, Filter w, Convolution, Tensor y, int algo,
                                                 std::size_t* bytes) = nullptr;
  int (*cudnnGetConvolutionBackwardDataAlgorithm_v7)(Handle, Filter w, Tensor dy, Convolution, Tensor dx, int requested,
                                                     int* returned, AlgoPerf* results) = nullptr;
  int (*cudnnGetConvolutionBackwardDataWorkspaceSize)(Handle, Filter w, Tensor dy, Convolution, Tensor dx, int algo,
                                                      std::size_t* bytes) = nullptr;
  int (*cudnnGetConvolutionBackwardFilterAlgorithm_v7)(Handle, Tensor x, Tensor dy, Convolution, Filter dw,
                                                       int requested, int* returned, AlgoPerf* results) = nullptr;
  int (*cudnnGetConvolutionBackwardFilterWorkspaceSize)(Handle, Tensor x, Tensor dy, Convolution, Filter dw, int algo,
                                                        std::size_t* bytes) = nullptr;
  // optional, and of use only together: has_backend()
  int (*cudnnBackendCreateDescriptor)(int type, BackendDescriptor* descriptor) = nullptr;
  int (*cudnnBackendDestroyDescriptor)(BackendDescriptor) = nullptr;
  int (*cudnnBackendSetAttribute)(BackendDescriptor, int attribute, int element_type, std::int64_t count,
                                  const void* elements) = nullptr;
  int (*cudnnBackendGetAttribute)(BackendDescriptor, int attribute, int element_type, std::int64_t requested,
                                  std::int64_t* count, void* elements) = nullptr;
  int (*cudnnBackendFinalize)(BackendDescriptor) = nullptr;
  int (*cudnnBackendExecute)(Handle, BackendDescriptor plan, BackendDescriptor variant_pack) = nullptr;
};

/// Whether the library has all functions of the backend API.
bool has_backend(const Api& api);

/// Every exported name gpuassay asks for, in the order of Api.
std::vector<SymbolName> symbol_names();

struct LoadedLibrary {
  SharedLibrary library;
  /// The sub-libraries of the same folder, opened first so that no other copy of them is taken.
  std::vector<SharedLibrary> parts;
  Api api;
  LibraryVersion version;
  int cuda_major = 0;  ///< of the CUDA it is built with, which is that of the cuBLAS it needs; 0 = it does not tell
};

/// The version behind cudnnGetVersion: 1000 x major + 100 x minor + patch up to 8, 10000 x major from 9 on.
LibraryVersion version_from_number(std::size_t number);

/// Whether load() opens the parts as well: half a gigabyte of files, not needed for asking the version.
enum class Parts { open, leave };

/// Opens cuDNN at `candidate`, before it every part of it in the same folder, and asks for its version; needs no GPU.
/// Open cuBLAS first: cuDNN takes the one already there. Stays mapped for the life of the process. Throws
/// Error{library_missing} when it is absent, does not load or lacks a required function, Error{unsupported} when it is
/// neither 8 nor 9.
LoadedLibrary load(const LibraryCandidate& candidate, Parts parts = Parts::open);

/// What a status means in either numbering.
enum class StatusKind { success, out_of_memory, unsupported, failed };
StatusKind classify(int status);

/// Throws unless `status` is kSuccess: the Error code that classify() names, with cuDNN's own text.
void check(const Api& api, int status, const char* symbol,
           std::source_location where = std::source_location::current());

}  // namespace gpuassay::cudnn
