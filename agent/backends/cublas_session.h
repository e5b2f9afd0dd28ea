// cuBLAS opened and ready: the library and a handle on the context's stream.
#pragma once

#include <memory>

#include "agent/backends/cuda_context.h"
#include "agent/dynlib/cublas.h"

namespace gpuassay {

/// One handle with a workspace of its own. Destroyed with the last operation that uses it; keep the context longer.
struct CublasSession {
  /// Throws Error{library_missing} or what cublasCreate_v2 answered.
  CublasSession(CudaContext& context, const LibraryCandidate& candidate);

  cublas::LoadedLibrary library;
  std::unique_ptr<cublas::HandleRecord, int (*)(cublas::Handle)> handle;
  DeviceBuffer workspace;
};

}  // namespace gpuassay
