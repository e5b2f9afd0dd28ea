#include "agent/backends/cudnn_session.h"

#include <algorithm>
#include <cstdint>

namespace gpuassay {

namespace {

std::optional<cublas::LoadedLibrary> loaded(const std::optional<LibraryCandidate>& companion) {
  if (!companion) return std::nullopt;
  return cublas::load(*companion);
}

}  // namespace

CudnnSession::CudnnSession(CudaContext& context, const LibraryCandidate& candidate,
                           const std::optional<LibraryCandidate>& companion)
    : cublas_library(loaded(companion)), library(cudnn::load(candidate)) {
  cudnn::check(library.api, library.api.cudnnCreate(&handle), "cudnnCreate");
  cudnn::check(library.api, library.api.cudnnSetStream(handle, context.stream()), "cudnnSetStream");
  constexpr std::int64_t kMaxBytes = std::int64_t{1} << 30;
  constexpr std::int64_t kMemoryShare = 8;
  workspace = context.allocate(static_cast<std::size_t>(std::min(kMaxBytes, context.free_bytes() / kMemoryShare)));
}

CudnnSession::~CudnnSession() {
  if (handle != nullptr) (void)library.api.cudnnDestroy(handle);
}

namespace cudnn {

OwnedTensor make_tensor(const Api& api, int format, int type, std::int64_t n, std::int64_t c, std::int64_t h,
                        std::int64_t w) {
  Tensor raw = nullptr;
  check(api, api.cudnnCreateTensorDescriptor(&raw), "cudnnCreateTensorDescriptor");
  OwnedTensor tensor{raw, api.cudnnDestroyTensorDescriptor};
  check(api,
        api.cudnnSetTensor4dDescriptor(raw, format, type, static_cast<int>(n), static_cast<int>(c), static_cast<int>(h),
                                       static_cast<int>(w)),
        "cudnnSetTensor4dDescriptor");
  return tensor;
}

OwnedFilter make_filter(const Api& api, int format, int type, std::int64_t k, std::int64_t c, std::int64_t r,
                        std::int64_t s) {
  Filter raw = nullptr;
  check(api, api.cudnnCreateFilterDescriptor(&raw), "cudnnCreateFilterDescriptor");
  OwnedFilter filter{raw, api.cudnnDestroyFilterDescriptor};
  check(api,
        api.cudnnSetFilter4dDescriptor(raw, type, format, static_cast<int>(k), static_cast<int>(c), static_cast<int>(r),
                                       static_cast<int>(s)),
        "cudnnSetFilter4dDescriptor");
  return filter;
}

OwnedConvolution make_convolution(const Api& api, std::int64_t pad, std::int64_t stride, int compute_type,
                                  int math_type) {
  Convolution raw = nullptr;
  check(api, api.cudnnCreateConvolutionDescriptor(&raw), "cudnnCreateConvolutionDescriptor");
  OwnedConvolution convolution{raw, api.cudnnDestroyConvolutionDescriptor};
  const int p = static_cast<int>(pad), s = static_cast<int>(stride);
  check(api, api.cudnnSetConvolution2dDescriptor(raw, p, p, s, s, 1, 1, kCrossCorrelation, compute_type),
        "cudnnSetConvolution2dDescriptor");
  check(api, api.cudnnSetConvolutionMathType(raw, math_type), "cudnnSetConvolutionMathType");
  return convolution;
}

}  // namespace cudnn
}  // namespace gpuassay
