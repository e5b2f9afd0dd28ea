// cuBLASLt opened and ready: the library, its handle and the owners of its descriptors.
#pragma once

#include <cstddef>
#include <memory>

#include "agent/dynlib/cublaslt.h"

namespace gpuassay {

/// One handle on the current context. Destroyed with the last operation that uses it.
struct CublasLtSession {
  /// Throws Error{library_missing} or what cublasLtCreate answered.
  explicit CublasLtSession(const LibraryCandidate& candidate);

  cublaslt::LoadedLibrary library;
  std::unique_ptr<cublaslt::HandleRecord, int (*)(cublaslt::Handle)> handle;
};

namespace cublaslt {

using OwnedDesc = std::unique_ptr<MatmulDescRecord, int (*)(MatmulDesc)>;
using OwnedLayout = std::unique_ptr<MatrixLayoutRecord, int (*)(MatrixLayout)>;
using OwnedPreference = std::unique_ptr<PreferenceRecord, int (*)(Preference)>;

OwnedDesc make_desc(const Api& api, int compute_type, int scale_type);
template <class T>
void set(const Api& api, MatmulDesc desc, MatmulDescAttribute attribute, T value) {
  const void* const at = &reinterpret_cast<const std::byte&>(value);
  check(api, api.cublasLtMatmulDescSetAttribute(desc, attribute, at, sizeof value), "cublasLtMatmulDescSetAttribute");
}

/// A column-major matrix of `rows` by `columns` with leading dimension `rows`, `batch` of them one after the other.
OwnedLayout make_layout(const Api& api, int type, std::int64_t rows, std::int64_t columns, std::int64_t batch);

OwnedPreference make_preference(const Api& api, std::size_t workspace_bytes);

/// For the result document: "algo 66 tile 20 stages 36 split_k 1", as far as this version tells.
std::string describe(const Api& api, const Algo& algo);

}  // namespace cublaslt
}  // namespace gpuassay
