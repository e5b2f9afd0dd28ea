#include "agent/dynlib/cublaslt.h"

#include "agent/dynlib/open_candidate.h"

namespace gpuassay::cublaslt {
namespace {

/// The exported functions that gpuassay asks for; see names_in_table.
struct Table {
  template <class Visit>
  static void required(Api& api, Visit visit) {
    visit("cublasLtGetVersion", api.cublasLtGetVersion);
    visit("cublasLtGetProperty", api.cublasLtGetProperty);
    visit("cublasLtMatmulDescCreate", api.cublasLtMatmulDescCreate);
    visit("cublasLtMatmulDescDestroy", api.cublasLtMatmulDescDestroy);
    visit("cublasLtMatmulDescSetAttribute", api.cublasLtMatmulDescSetAttribute);
    visit("cublasLtMatrixLayoutCreate", api.cublasLtMatrixLayoutCreate);
    visit("cublasLtMatrixLayoutDestroy", api.cublasLtMatrixLayoutDestroy);
    visit("cublasLtMatrixLayoutSetAttribute", api.cublasLtMatrixLayoutSetAttribute);
    visit("cublasLtMatmulPreferenceCreate", api.cublasLtMatmulPreferenceCreate);
    visit("cublasLtMatmulPreferenceDestroy", api.cublasLtMatmulPreferenceDestroy);
    visit("cublasLtMatmulPreferenceSetAttribute", api.cublasLtMatmulPreferenceSetAttribute);
    visit("cublasLtMatmulAlgoConfigGetAttribute", api.cublasLtMatmulAlgoConfigGetAttribute);
    visit("cublasLtCreate", api.cublasLtCreate);
    visit("cublasLtDestroy", api.cublasLtDestroy);
    visit("cublasLtMatmulAlgoGetHeuristic", api.cublasLtMatmulAlgoGetHeuristic);
    visit("cublasLtMatmul", api.cublasLtMatmul);
  }

  /// gpuassay can do without these.
  template <class Visit>
  static void optional(Api& api, Visit visit) {
    visit("cublasLtMatmulAlgoCheck", api.cublasLtMatmulAlgoCheck);
    visit("cublasLtMatmulAlgoGetIds", api.cublasLtMatmulAlgoGetIds);
    visit("cublasLtMatmulAlgoInit", api.cublasLtMatmulAlgoInit);
    visit("cublasLtGetStatusName", api.cublasLtGetStatusName);
  }
};

LibraryVersion version_of(const Api& api) {
  LibraryVersion version;
  check(api, api.cublasLtGetProperty(cublas::kMajorVersion, &version.major), "cublasLtGetProperty");
  check(api, api.cublasLtGetProperty(cublas::kMinorVersion, &version.minor), "cublasLtGetProperty");
  check(api, api.cublasLtGetProperty(cublas::kPatchLevel, &version.patch), "cublasLtGetProperty");
  return version;
}

}  // namespace

std::vector<SymbolName> symbol_names() { return names_in_table<Table, Api>(); }

LoadedLibrary load(const LibraryCandidate& candidate) {
  LoadedLibrary loaded{open_candidate(candidate), Api{}, LibraryVersion{}};
  bind_table<Table>(loaded.library, loaded.api);
  loaded.version = version_of(loaded.api);
  return loaded;
}

void check(const Api& api, int status, const char* symbol, std::source_location where) {
  if (status == cublas::kSuccess) return;
  const char* text = api.cublasLtGetStatusName == nullptr ? nullptr : api.cublasLtGetStatusName(status);
  cublas::throw_status(status, symbol, text, where);
}

}  // namespace gpuassay::cublaslt
