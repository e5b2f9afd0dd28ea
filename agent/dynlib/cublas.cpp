#include "agent/dynlib/cublas.h"

#include <fmt/format.h>

#include "agent/dynlib/open_candidate.h"
#include "core/error.h"

namespace gpuassay::cublas {
namespace {

/// The exported functions that gpuassay asks for; see names_in_table.
struct Table {
  template <class Visit>
  static void required(Api& api, Visit visit) {
    visit("cublasGetProperty", api.cublasGetProperty);
    visit("cublasCreate_v2", api.cublasCreate_v2);
    visit("cublasDestroy_v2", api.cublasDestroy_v2);
    visit("cublasSetStream_v2", api.cublasSetStream_v2);
    visit("cublasGetVersion_v2", api.cublasGetVersion_v2);
    visit("cublasSetMathMode", api.cublasSetMathMode);
    visit("cublasSgemm_v2", api.cublasSgemm_v2);
    visit("cublasDgemm_v2", api.cublasDgemm_v2);
    visit("cublasGemmEx", api.cublasGemmEx);
    visit("cublasGemmStridedBatchedEx", api.cublasGemmStridedBatchedEx);
    visit("cublasSgemmStridedBatched", api.cublasSgemmStridedBatched);
    visit("cublasDgemmStridedBatched", api.cublasDgemmStridedBatched);
  }

  /// gpuassay can do without these.
  template <class Visit>
  static void optional(Api& api, Visit visit) {
    visit("cublasSetWorkspace_v2", api.cublasSetWorkspace_v2);
    visit("cublasGetStatusName", api.cublasGetStatusName);
    visit("cublasGetStatusString", api.cublasGetStatusString);
    visit("cublasHgemm", api.cublasHgemm);
  }
};

LibraryVersion version_of(const Api& api) {
  LibraryVersion version;
  check(api, api.cublasGetProperty(kMajorVersion, &version.major), "cublasGetProperty");
  check(api, api.cublasGetProperty(kMinorVersion, &version.minor), "cublasGetProperty");
  check(api, api.cublasGetProperty(kPatchLevel, &version.patch), "cublasGetProperty");
  return version;
}

/// "libcublas.so.12" -> "libcublasLt.so.12"
std::string light_soname(std::string soname) {
  const std::size_t at = soname.find(".so");
  return at == std::string::npos ? soname : soname.insert(at, "Lt");
}

}  // namespace

std::vector<SymbolName> symbol_names() { return names_in_table<Table, Api>(); }

LoadedLibrary load(const LibraryCandidate& candidate) {
  // cuBLAS asks the loader for cuBLASLt by its soname: without this it may take one of another folder and version.
  const auto light = open_beside(candidate, light_soname(candidate.soname), Visibility::local);
  LoadedLibrary loaded{open_candidate(candidate), Api{}, LibraryVersion{}};
  bind_table<Table>(loaded.library, loaded.api);
  loaded.version = version_of(loaded.api);
  return loaded;
}

const char* status_name(int status) {
  switch (status) {
    case kSuccess: return "CUBLAS_STATUS_SUCCESS";
    case kNotInitialized: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case kAllocFailed: return "CUBLAS_STATUS_ALLOC_FAILED";
    case kInvalidValue: return "CUBLAS_STATUS_INVALID_VALUE";
    case kArchMismatch: return "CUBLAS_STATUS_ARCH_MISMATCH";
    case kMappingError: return "CUBLAS_STATUS_MAPPING_ERROR";
    case kExecutionFailed: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case kInternalError: return "CUBLAS_STATUS_INTERNAL_ERROR";
    case kNotSupported: return "CUBLAS_STATUS_NOT_SUPPORTED";
    case kLicenseError: return "CUBLAS_STATUS_LICENSE_ERROR";
    default: return "an unknown status";
  }
}

void throw_status(int status, const char* symbol, const char* text, std::source_location where) {
  ErrorCode code = ErrorCode::library_failed;
  if (status == kAllocFailed) code = ErrorCode::out_of_memory;
  if (status == kArchMismatch || status == kNotSupported) code = ErrorCode::unsupported;
  throw Error(code, fmt::format("{} failed with {}: {}", symbol, status, text == nullptr ? status_name(status) : text),
              status, where);
}

void check(const Api& api, int status, const char* symbol, std::source_location where) {
  if (status == kSuccess) return;
  throw_status(status, symbol, api.cublasGetStatusName == nullptr ? nullptr : api.cublasGetStatusName(status), where);
}

}  // namespace gpuassay::cublas
