#include "agent/backends/cublas_session.h"

#include "agent/backends/cuda_operation.h"

namespace gpuassay {

CublasSession::CublasSession(CudaContext& context, const LibraryCandidate& candidate)
    : library(cublas::load(candidate)), handle(nullptr, library.api.cublasDestroy_v2) {
  const cublas::Api& api = library.api;
  cublas::Handle made = nullptr;
  cublas::check(api, api.cublasCreate_v2(&made), "cublasCreate_v2");
  handle.reset(made);
  cublas::check(api, api.cublasSetStream_v2(made, context.stream()), "cublasSetStream_v2");
  // Partial sums of a split product are to be added in the compute type, not in half precision. Versions before 11.3
  // do not know the flag and refuse it; they have no such splits.
  (void)api.cublasSetMathMode(made, cublas::kNoReducedPrecisionReduction);
  if (api.cublasSetWorkspace_v2 != nullptr) {
    workspace = context.allocate(kLibraryWorkspaceBytes);
    cublas::check(api, api.cublasSetWorkspace_v2(made, workspace.pointer(), workspace.size_bytes()),
                  "cublasSetWorkspace_v2");
  }
}

}  // namespace gpuassay
