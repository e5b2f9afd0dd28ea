#include "agent/backends/cublas_session.h"

#include "agent/backends/cuda_operation.h"

namespace gpuassay {

CublasSession::CublasSession(CudaContext& context, const LibraryCandidate& candidate)
    : library(cublas::load(candidate)) {
  const cublas::Api& api = library.api;
  cublas::check(api, api.cublasCreate_v2(&handle), "cublasCreate_v2");
  cublas::check(api, api.cublasSetStream_v2(handle, context.stream()), "cublasSetStream_v2");
  // Partial sums of a split product are to be added in the compute type, not in half precision. Versions before 11.3
  // do not know the flag and refuse it; they have no such splits.
  (void)api.cublasSetMathMode(handle, cublas::kNoReducedPrecisionReduction);
  if (api.cublasSetWorkspace_v2 != nullptr) {
    workspace = context.allocate(kLibraryWorkspaceBytes);
    cublas::check(api, api.cublasSetWorkspace_v2(handle, workspace.pointer(), workspace.size_bytes()),
                  "cublasSetWorkspace_v2");
  }
}

CublasSession::~CublasSession() {
  if (handle != nullptr) (void)library.api.cublasDestroy_v2(handle);
}

}  // namespace gpuassay
