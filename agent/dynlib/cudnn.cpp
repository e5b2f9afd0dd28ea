#include "agent/dynlib/cudnn.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "agent/dynlib/open_candidate.h"
#include "core/error.h"

namespace gpuassay::cudnn {
namespace {

/// The exported functions that gpuassay asks for; see names_in_table.
struct Table {
  template <class Visit>
  static void required(Api& api, Visit visit) {
    visit("cudnnGetVersion", api.cudnnGetVersion);
    visit("cudnnGetErrorString", api.cudnnGetErrorString);
    visit("cudnnCreateTensorDescriptor", api.cudnnCreateTensorDescriptor);
    visit("cudnnDestroyTensorDescriptor", api.cudnnDestroyTensorDescriptor);
    visit("cudnnSetTensor4dDescriptor", api.cudnnSetTensor4dDescriptor);
    visit("cudnnCreateFilterDescriptor", api.cudnnCreateFilterDescriptor);
    visit("cudnnDestroyFilterDescriptor", api.cudnnDestroyFilterDescriptor);
    visit("cudnnSetFilter4dDescriptor", api.cudnnSetFilter4dDescriptor);
    visit("cudnnCreateConvolutionDescriptor", api.cudnnCreateConvolutionDescriptor);
    visit("cudnnDestroyConvolutionDescriptor", api.cudnnDestroyConvolutionDescriptor);
    visit("cudnnSetConvolution2dDescriptor", api.cudnnSetConvolution2dDescriptor);
    visit("cudnnSetConvolutionMathType", api.cudnnSetConvolutionMathType);
    visit("cudnnCreate", api.cudnnCreate);
    visit("cudnnDestroy", api.cudnnDestroy);
    visit("cudnnSetStream", api.cudnnSetStream);
    visit("cudnnFindConvolutionForwardAlgorithmEx", api.cudnnFindConvolutionForwardAlgorithmEx);
    visit("cudnnConvolutionForward", api.cudnnConvolutionForward);
    visit("cudnnFindConvolutionBackwardDataAlgorithmEx", api.cudnnFindConvolutionBackwardDataAlgorithmEx);
    visit("cudnnConvolutionBackwardData", api.cudnnConvolutionBackwardData);
    visit("cudnnFindConvolutionBackwardFilterAlgorithmEx", api.cudnnFindConvolutionBackwardFilterAlgorithmEx);
    visit("cudnnConvolutionBackwardFilter", api.cudnnConvolutionBackwardFilter);
  }

  /// gpuassay can do without these.
  template <class Visit>
  static void optional(Api& api, Visit visit) {
    visit("cudnnGetCudartVersion", api.cudnnGetCudartVersion);
    visit("cudnnGetLastErrorString", api.cudnnGetLastErrorString);
    visit("cudnnSetConvolutionGroupCount", api.cudnnSetConvolutionGroupCount);
    visit("cudnnGetConvolution2dForwardOutputDim", api.cudnnGetConvolution2dForwardOutputDim);
    visit("cudnnGetConvolutionForwardAlgorithm_v7", api.cudnnGetConvolutionForwardAlgorithm_v7);
    visit("cudnnGetConvolutionForwardWorkspaceSize", api.cudnnGetConvolutionForwardWorkspaceSize);
    visit("cudnnGetConvolutionBackwardDataAlgorithm_v7", api.cudnnGetConvolutionBackwardDataAlgorithm_v7);
    visit("cudnnGetConvolutionBackwardDataWorkspaceSize", api.cudnnGetConvolutionBackwardDataWorkspaceSize);
    visit("cudnnGetConvolutionBackwardFilterAlgorithm_v7", api.cudnnGetConvolutionBackwardFilterAlgorithm_v7);
    visit("cudnnGetConvolutionBackwardFilterWorkspaceSize", api.cudnnGetConvolutionBackwardFilterWorkspaceSize);
    visit("cudnnBackendCreateDescriptor", api.cudnnBackendCreateDescriptor);
    visit("cudnnBackendDestroyDescriptor", api.cudnnBackendDestroyDescriptor);
    visit("cudnnBackendSetAttribute", api.cudnnBackendSetAttribute);
    visit("cudnnBackendGetAttribute", api.cudnnBackendGetAttribute);
    visit("cudnnBackendFinalize", api.cudnnBackendFinalize);
    visit("cudnnBackendExecute", api.cudnnBackendExecute);
  }
};

/// "libcudnn.so.9" -> ".so.9"
std::string suffix_of(const std::string& soname) { return soname.substr(std::min(soname.find(".so"), soname.size())); }

/// The parts that lie beside the candidate: libcudnn_ops.so.9, ... They are opened by soname at first use, and by
/// whichever copy the loader finds first; mixed copies end in a version mismatch. The part every other needs is first.
std::vector<SharedLibrary> open_parts(const LibraryCandidate& candidate) {
  std::vector<SharedLibrary> parts;
  const auto open_part = [&](const std::string& name) {
    if (auto part = open_beside(candidate, name, Visibility::global)) parts.push_back(std::move(*part));
  };
  const std::string suffix = suffix_of(candidate.soname);
  // In the order of dependence, of cuDNN 9 and of cuDNN 8; a build that lacks one works without.
  for (const char* part : {"graph", "ops", "engines_runtime_compiled", "engines_precompiled", "heuristic", "cnn", "adv",
                           "ops_infer", "ops_train", "cnn_infer", "cnn_train", "adv_infer", "adv_train"}) {
    open_part(fmt::format("libcudnn_{}{}", part, suffix));
  }
  return parts;
}

ErrorCode code_for(StatusKind kind) {
  switch (kind) {
    case StatusKind::out_of_memory: return ErrorCode::out_of_memory;
    case StatusKind::unsupported: return ErrorCode::unsupported;
    case StatusKind::success:
    case StatusKind::failed: break;
  }
  return ErrorCode::library_failed;
}

}  // namespace

bool has_backend(const Api& api) {
  return api.cudnnBackendCreateDescriptor != nullptr && api.cudnnBackendDestroyDescriptor != nullptr &&
         api.cudnnBackendSetAttribute != nullptr && api.cudnnBackendGetAttribute != nullptr &&
         api.cudnnBackendFinalize != nullptr && api.cudnnBackendExecute != nullptr;
}

std::vector<SymbolName> symbol_names() { return names_in_table<Table, Api>(); }

LibraryVersion version_from_number(std::size_t number) {
  const int value = static_cast<int>(std::min(number, std::size_t{1} << 30));
  const int unit = value < 90000 ? 1000 : 10000;
  return {value / unit, value % unit / 100, value % 100};
}

LoadedLibrary load(const LibraryCandidate& candidate, Parts parts) {
  auto opened = parts == Parts::open ? open_parts(candidate) : std::vector<SharedLibrary>();
  LoadedLibrary loaded{open_candidate(candidate), std::move(opened), Api{}, LibraryVersion{}, 0};
  bind_table<Table>(loaded.library, loaded.api);
  loaded.version = version_from_number(loaded.api.cudnnGetVersion());
  if (loaded.version.major != 8 && loaded.version.major != 9) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} is cuDNN {}, gpuassay knows 8 and 9", candidate.soname, loaded.version.text()));
  }
  if (loaded.api.cudnnGetCudartVersion != nullptr) {
    loaded.cuda_major = static_cast<int>(loaded.api.cudnnGetCudartVersion() / 1000);
  }
  return loaded;
}

StatusKind classify(int status) {
  // cuDNN 8 uses 0 to 14, cuDNN 9 four digits whose first is the kind: the two never meet.
  switch (status) {
    case kSuccess: return StatusKind::success;
    case 2:     // 8: ALLOC_FAILED
    case 4003:  // 9: host allocation failed
    case 4004:  // 9: device allocation failed
      return StatusKind::out_of_memory;
    case 6:   // 8: ARCH_MISMATCH
    case 9:   // 8: NOT_SUPPORTED
    case 11:  // 8: RUNTIME_PREREQUISITE_MISSING
      return StatusKind::unsupported;
    default: return status >= 3000 && status < 4000 ? StatusKind::unsupported : StatusKind::failed;
  }
}

void check(const Api& api, int status, const char* symbol, std::source_location where) {
  if (status == kSuccess) return;
  const char* text = api.cudnnGetErrorString == nullptr ? nullptr : api.cudnnGetErrorString(status);
  throw Error(code_for(classify(status)),
              fmt::format("{} failed with {}: {}", symbol, status, text == nullptr ? "unknown error" : text), status,
              where);
}

}  // namespace gpuassay::cudnn
