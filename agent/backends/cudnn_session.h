// cuDNN opened and ready: the library, its handle and the owners of its descriptors.
#pragma once

#include <memory>
#include <optional>

#include "agent/backends/cuda_context.h"
#include "agent/dynlib/cublas.h"
#include "agent/dynlib/cudnn.h"

namespace gpuassay {

/// One handle on the context's stream. Destroyed with the last operation that uses it.
struct CudnnSession {
  /// Throws Error{library_missing} or what cudnnCreate answered.
  CudnnSession(CudaContext& context, const LibraryCandidate& candidate, const cudnn::Companions& companions);

  std::optional<cublas::LoadedLibrary> cublas_library;
  cudnn::LoadedLibrary library;
  std::unique_ptr<cudnn::HandleRecord, int (*)(cudnn::Handle)> handle;
  /// For all algorithms: 1 GiB, or an eighth of what was free at the start; some fast algorithms want much.
  DeviceBuffer workspace;
};

namespace cudnn {

using OwnedTensor = std::unique_ptr<TensorRecord, int (*)(Tensor)>;
using OwnedFilter = std::unique_ptr<FilterRecord, int (*)(Filter)>;
using OwnedConvolution = std::unique_ptr<ConvolutionRecord, int (*)(Convolution)>;

OwnedTensor make_tensor(const Api& api, int format, int type, std::int64_t n, std::int64_t c, std::int64_t h,
                        std::int64_t w);
OwnedFilter make_filter(const Api& api, int format, int type, std::int64_t k, std::int64_t c, std::int64_t r,
                        std::int64_t s);
OwnedConvolution make_convolution(const Api& api, std::int64_t pad, std::int64_t stride, int compute_type,
                                  int math_type);

}  // namespace cudnn
}  // namespace gpuassay
