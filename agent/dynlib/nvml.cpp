#include "agent/dynlib/nvml.h"

#include <fmt/format.h>

#include "agent/dynlib/open_candidate.h"
#include "core/error.h"

namespace gpuassay::nvml {
namespace {

/// The exported functions that gpuassay asks for; see names_in_table.
struct Table {
  template <class Visit>
  static void required(Api& api, Visit visit) {
    visit("nvmlInit_v2", api.nvmlInit_v2);
    visit("nvmlShutdown", api.nvmlShutdown);
    visit("nvmlErrorString", api.nvmlErrorString);
    visit("nvmlDeviceGetHandleByPciBusId_v2", api.nvmlDeviceGetHandleByPciBusId_v2);
    visit("nvmlDeviceGetMemoryInfo", api.nvmlDeviceGetMemoryInfo);
  }

  /// gpuassay can do without these.
  template <class Visit>
  static void optional(Api& api, Visit visit) {
    visit("nvmlSystemGetDriverVersion", api.nvmlSystemGetDriverVersion);
    visit("nvmlSystemGetNVMLVersion", api.nvmlSystemGetNVMLVersion);
    visit("nvmlDeviceGetUUID", api.nvmlDeviceGetUUID);
    visit("nvmlDeviceGetPciInfo_v3", api.nvmlDeviceGetPciInfo_v3);
    visit("nvmlDeviceGetVbiosVersion", api.nvmlDeviceGetVbiosVersion);
    visit("nvmlDeviceGetCurrPcieLinkGeneration", api.nvmlDeviceGetCurrPcieLinkGeneration);
    visit("nvmlDeviceGetMaxPcieLinkGeneration", api.nvmlDeviceGetMaxPcieLinkGeneration);
    visit("nvmlDeviceGetCurrPcieLinkWidth", api.nvmlDeviceGetCurrPcieLinkWidth);
    visit("nvmlDeviceGetMaxPcieLinkWidth", api.nvmlDeviceGetMaxPcieLinkWidth);
    visit("nvmlDeviceGetPowerUsage", api.nvmlDeviceGetPowerUsage);
    visit("nvmlDeviceGetEnforcedPowerLimit", api.nvmlDeviceGetEnforcedPowerLimit);
    visit("nvmlDeviceGetPowerManagementLimit", api.nvmlDeviceGetPowerManagementLimit);
    visit("nvmlDeviceGetPowerManagementDefaultLimit", api.nvmlDeviceGetPowerManagementDefaultLimit);
    visit("nvmlDeviceGetTotalEnergyConsumption", api.nvmlDeviceGetTotalEnergyConsumption);
    visit("nvmlDeviceGetClockInfo", api.nvmlDeviceGetClockInfo);
    visit("nvmlDeviceGetMaxClockInfo", api.nvmlDeviceGetMaxClockInfo);
    visit("nvmlDeviceGetTemperature", api.nvmlDeviceGetTemperature);
    visit("nvmlDeviceGetTemperatureThreshold", api.nvmlDeviceGetTemperatureThreshold);
    visit("nvmlDeviceGetEccMode", api.nvmlDeviceGetEccMode);
    visit("nvmlDeviceGetTotalEccErrors", api.nvmlDeviceGetTotalEccErrors);
    visit("nvmlDeviceGetMigMode", api.nvmlDeviceGetMigMode);
    visit("nvmlDeviceGetVirtualizationMode", api.nvmlDeviceGetVirtualizationMode);
    visit("nvmlDeviceGetCurrentClocksThrottleReasons", api.nvmlDeviceGetCurrentClocksThrottleReasons);
    visit("nvmlDeviceGetCurrentClocksEventReasons", api.nvmlDeviceGetCurrentClocksEventReasons);
    visit("nvmlDeviceGetComputeRunningProcesses", api.nvmlDeviceGetComputeRunningProcesses);
    visit("nvmlDeviceGetComputeRunningProcesses_v3", api.nvmlDeviceGetComputeRunningProcesses_v3);
    visit("nvmlDeviceGetMultiGpuBoard", api.nvmlDeviceGetMultiGpuBoard);
    visit("nvmlDeviceGetUtilizationRates", api.nvmlDeviceGetUtilizationRates);
    visit("nvmlDeviceGetCount_v2", api.nvmlDeviceGetCount_v2);
    visit("nvmlDeviceGetHandleByIndex_v2", api.nvmlDeviceGetHandleByIndex_v2);
    visit("nvmlDeviceGetName", api.nvmlDeviceGetName);
    visit("nvmlDeviceGetTopologyCommonAncestor", api.nvmlDeviceGetTopologyCommonAncestor);
    visit("nvmlDeviceGetP2PStatus", api.nvmlDeviceGetP2PStatus);
    visit("nvmlDeviceGetNvLinkState", api.nvmlDeviceGetNvLinkState);
    visit("nvmlDeviceGetNvLinkRemoteDeviceType", api.nvmlDeviceGetNvLinkRemoteDeviceType);
    visit("nvmlDeviceGetNvLinkRemotePciInfo_v2", api.nvmlDeviceGetNvLinkRemotePciInfo_v2);
    visit("nvmlDeviceGetConfComputeGpuAttestationReport", api.nvmlDeviceGetConfComputeGpuAttestationReport);
    visit("nvmlDeviceGetConfComputeGpuCertificate", api.nvmlDeviceGetConfComputeGpuCertificate);
  }
};

}  // namespace

std::vector<SymbolName> symbol_names() { return names_in_table<Table, Api>(); }

LoadedLibrary load(const LibraryCandidate& candidate) {
  LoadedLibrary loaded{open_candidate(candidate), Api{}, false};
  bind_table<Table>(loaded.library, loaded.api);
  loaded.simulated = is_simulated(loaded.library);
  return loaded;
}

void check(const Api& api, int status, const char* symbol, std::source_location where) {
  if (status == kSuccess) return;
  const bool unsupported = status == kNotSupported || status == kFunctionNotFound;
  const char* text = api.nvmlErrorString == nullptr ? nullptr : api.nvmlErrorString(status);
  throw Error(unsupported ? ErrorCode::unsupported : ErrorCode::library_failed,
              fmt::format("{} failed with {}: {}", symbol, status, text == nullptr ? "unknown error" : text), status,
              where);
}

}  // namespace gpuassay::nvml
