#include "agent/dynlib/cuda_driver.h"

#include <fmt/format.h>

#include "agent/dynlib/open_candidate.h"
#include "core/error.h"

namespace gpuassay::cuda {
namespace {

/// The exported functions that gpuassay asks for; see names_in_table.
struct Table {
  template <class Visit>
  static void required(Api& api, Visit visit) {
    visit("cuInit", api.cuInit);
    visit("cuDriverGetVersion", api.cuDriverGetVersion);
    visit("cuGetErrorName", api.cuGetErrorName);
    visit("cuGetErrorString", api.cuGetErrorString);
    visit("cuDeviceGetCount", api.cuDeviceGetCount);
    visit("cuDeviceGet", api.cuDeviceGet);
    visit("cuDeviceGetName", api.cuDeviceGetName);
    visit("cuDeviceGetAttribute", api.cuDeviceGetAttribute);
    visit("cuDeviceTotalMem_v2", api.cuDeviceTotalMem_v2);
    visit("cuDeviceGetPCIBusId", api.cuDeviceGetPCIBusId);
    visit("cuDevicePrimaryCtxRetain", api.cuDevicePrimaryCtxRetain);
    visit("cuCtxSetCurrent", api.cuCtxSetCurrent);
    visit("cuCtxSynchronize", api.cuCtxSynchronize);
    visit("cuMemGetInfo_v2", api.cuMemGetInfo_v2);
    visit("cuMemAlloc_v2", api.cuMemAlloc_v2);
    visit("cuMemFree_v2", api.cuMemFree_v2);
    visit("cuMemHostAlloc", api.cuMemHostAlloc);
    visit("cuMemFreeHost", api.cuMemFreeHost);
    visit("cuMemHostGetDevicePointer_v2", api.cuMemHostGetDevicePointer_v2);
    visit("cuMemcpyDtoH_v2", api.cuMemcpyDtoH_v2);
    visit("cuMemcpyHtoDAsync_v2", api.cuMemcpyHtoDAsync_v2);
    visit("cuMemcpyDtoHAsync_v2", api.cuMemcpyDtoHAsync_v2);
    visit("cuStreamCreate", api.cuStreamCreate);
    visit("cuStreamDestroy_v2", api.cuStreamDestroy_v2);
    visit("cuStreamSynchronize", api.cuStreamSynchronize);
    visit("cuStreamWaitEvent", api.cuStreamWaitEvent);
    visit("cuEventCreate", api.cuEventCreate);
    visit("cuEventDestroy_v2", api.cuEventDestroy_v2);
    visit("cuEventRecord", api.cuEventRecord);
    visit("cuEventSynchronize", api.cuEventSynchronize);
    visit("cuEventElapsedTime", api.cuEventElapsedTime);
    visit("cuModuleLoadData", api.cuModuleLoadData);
    visit("cuModuleUnload", api.cuModuleUnload);
    visit("cuModuleGetFunction", api.cuModuleGetFunction);
    visit("cuLaunchKernel", api.cuLaunchKernel);
  }

  /// gpuassay can do without these.
  template <class Visit>
  static void optional(Api& api, Visit visit) {
    visit("cuDeviceGetUuid", api.cuDeviceGetUuid);
    visit("cuDeviceGetUuid_v2", api.cuDeviceGetUuid_v2);
    visit("cuDevicePrimaryCtxRelease_v2", api.cuDevicePrimaryCtxRelease_v2);
    visit("cuDevicePrimaryCtxSetFlags_v2", api.cuDevicePrimaryCtxSetFlags_v2);
    visit("cuFuncSetAttribute", api.cuFuncSetAttribute);
    visit("cuStreamBeginCapture_v2", api.cuStreamBeginCapture_v2);
    visit("cuStreamEndCapture", api.cuStreamEndCapture);
    visit("cuGraphInstantiate_v2", api.cuGraphInstantiate_v2);
    visit("cuGraphInstantiateWithFlags", api.cuGraphInstantiateWithFlags);
    visit("cuGraphGetNodes", api.cuGraphGetNodes);
    visit("cuGraphLaunch", api.cuGraphLaunch);
    visit("cuGraphExecDestroy", api.cuGraphExecDestroy);
    visit("cuGraphDestroy", api.cuGraphDestroy);
    visit("cuDevicePrimaryCtxRelease", api.cuDevicePrimaryCtxRelease);
    visit("cuMemcpyHtoD_v2", api.cuMemcpyHtoD_v2);
    visit("cuMemcpyDtoDAsync_v2", api.cuMemcpyDtoDAsync_v2);
    visit("cuDeviceCanAccessPeer", api.cuDeviceCanAccessPeer);
    visit("cuCtxEnablePeerAccess", api.cuCtxEnablePeerAccess);
    visit("cuMemcpyPeerAsync", api.cuMemcpyPeerAsync);
    visit("cuMemsetD8_v2", api.cuMemsetD8_v2);
    visit("cuMemsetD8Async", api.cuMemsetD8Async);
    visit("cuMemsetD32Async", api.cuMemsetD32Async);
    visit("cuStreamQuery", api.cuStreamQuery);
    visit("cuEventQuery", api.cuEventQuery);
    visit("cuModuleLoadDataEx", api.cuModuleLoadDataEx);
    visit("cuFuncGetAttribute", api.cuFuncGetAttribute);
    visit("cuOccupancyMaxActiveBlocksPerMultiprocessor", api.cuOccupancyMaxActiveBlocksPerMultiprocessor);
  }
};

/// The driver's own name or text for a status; a driver may not know a status of its own libraries.
std::string text_of(int (*function)(int, const char**), int result) {
  const char* text = nullptr;
  if (function == nullptr || function(result, &text) != kSuccess || text == nullptr) return "unknown error";
  return text;
}

}  // namespace

std::vector<SymbolName> symbol_names() { return names_in_table<Table, Api>(); }

LoadedLibrary load(const LibraryCandidate& candidate) {
  LoadedLibrary loaded{open_candidate(candidate), Api{}, false};
  bind_table<Table>(loaded.library, loaded.api);
  loaded.simulated = is_simulated(loaded.library);
  return loaded;
}

void check(const Api& api, int result, const char* symbol, std::source_location where) {
  if (result == kSuccess) return;
  ErrorCode code = ErrorCode::library_failed;
  if (result == kOutOfMemory) code = ErrorCode::out_of_memory;
  if (result == kNotSupported) code = ErrorCode::unsupported;
  if (result == kEccUncorrectable || result == kNvlinkUncorrectable) code = ErrorCode::hardware_fault;
  throw Error(code,
              fmt::format("{} failed with {} ({}): {}", symbol, result, text_of(api.cuGetErrorName, result),
                          text_of(api.cuGetErrorString, result)),
              result, where);
}

}  // namespace gpuassay::cuda
