#include "agent/backends/cudnn_session.h"

#include <algorithm>
#include <cstdint>

#include "agent/dynlib/nvrtc.h"

namespace gpuassay {

namespace {

std::optional<cublas::LoadedLibrary> loaded(const cudnn::Companions& companions) {
  if (companions.nvrtc) nvrtc::preload(*companions.nvrtc);
  if (!companions.cublas) return std::nullopt;
  return cublas::load(*companions.cublas);
}

}  // namespace

CudnnSession::CudnnSession(CudaContext& context, const LibraryCandidate& candidate, const cudnn::Companions& companions)
    : cublas_library(loaded(companions)), library(cudnn::load(candidate)), handle(nullptr, library.api.cudnnDestroy) {
  cudnn::Handle made = nullptr;
  cudnn::check(library.api, library.api.cudnnCreate(&made), "cudnnCreate");
  handle.reset(made);
  cudnn::check(library.api, library.api.cudnnSetStream(made, context.stream()), "cudnnSetStream");
  constexpr std::int64_t kMaxBytes = std::int64_t{1} << 30;
  constexpr std::int64_t kMemoryShare = 8;
  workspace = context.allocate(static_cast<std::size_t>(std::min(kMaxBytes, context.free_bytes() / kMemoryShare)));
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
