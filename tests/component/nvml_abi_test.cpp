// Compile-only: our declarations of NVML's ABI are those of <nvml.h>. Built once per set of headers found.
// With this the header declares the functions without a version, too, instead of mapping them to the newest.
#define NVML_NO_UNVERSIONED_FUNC_DEFS
#include <gtest/gtest.h>
#include <nvml.h>

#include <cstddef>

#include "agent/dynlib/nvml.h"
#include "tests/support/same_signature.h"

namespace gpuassay::nvml {
namespace {

template <auto kOurMember, class Theirs>
constexpr bool kSame = test::kSameSignature<Api, kOurMember, Theirs>;
using test::kSameLayout;

static_assert(kSame<&Api::nvmlInit_v2, decltype(&::nvmlInit_v2)>);
static_assert(kSame<&Api::nvmlShutdown, decltype(&::nvmlShutdown)>);
static_assert(kSame<&Api::nvmlErrorString, decltype(&::nvmlErrorString)>);
static_assert(kSame<&Api::nvmlDeviceGetCount_v2, decltype(&::nvmlDeviceGetCount_v2)>);
static_assert(kSame<&Api::nvmlDeviceGetHandleByIndex_v2, decltype(&::nvmlDeviceGetHandleByIndex_v2)>);
static_assert(kSame<&Api::nvmlDeviceGetHandleByPciBusId_v2, decltype(&::nvmlDeviceGetHandleByPciBusId_v2)>);
static_assert(kSame<&Api::nvmlDeviceGetName, decltype(&::nvmlDeviceGetName)>);
static_assert(kSame<&Api::nvmlDeviceGetMemoryInfo, decltype(&::nvmlDeviceGetMemoryInfo)>);
static_assert(kSame<&Api::nvmlSystemGetDriverVersion, decltype(&::nvmlSystemGetDriverVersion)>);
static_assert(kSame<&Api::nvmlSystemGetNVMLVersion, decltype(&::nvmlSystemGetNVMLVersion)>);
static_assert(kSame<&Api::nvmlDeviceGetUUID, decltype(&::nvmlDeviceGetUUID)>);
static_assert(kSame<&Api::nvmlDeviceGetPciInfo_v3, decltype(&::nvmlDeviceGetPciInfo_v3)>);
static_assert(kSame<&Api::nvmlDeviceGetVbiosVersion, decltype(&::nvmlDeviceGetVbiosVersion)>);
static_assert(kSame<&Api::nvmlDeviceGetCurrPcieLinkGeneration, decltype(&::nvmlDeviceGetCurrPcieLinkGeneration)>);
static_assert(kSame<&Api::nvmlDeviceGetMaxPcieLinkGeneration, decltype(&::nvmlDeviceGetMaxPcieLinkGeneration)>);
static_assert(kSame<&Api::nvmlDeviceGetCurrPcieLinkWidth, decltype(&::nvmlDeviceGetCurrPcieLinkWidth)>);
static_assert(kSame<&Api::nvmlDeviceGetMaxPcieLinkWidth, decltype(&::nvmlDeviceGetMaxPcieLinkWidth)>);
static_assert(kSame<&Api::nvmlDeviceGetPowerUsage, decltype(&::nvmlDeviceGetPowerUsage)>);
static_assert(kSame<&Api::nvmlDeviceGetEnforcedPowerLimit, decltype(&::nvmlDeviceGetEnforcedPowerLimit)>);
static_assert(kSame<&Api::nvmlDeviceGetPowerManagementLimit, decltype(&::nvmlDeviceGetPowerManagementLimit)>);
static_assert(
    kSame<&Api::nvmlDeviceGetPowerManagementDefaultLimit, decltype(&::nvmlDeviceGetPowerManagementDefaultLimit)>);
static_assert(kSame<&Api::nvmlDeviceGetTotalEnergyConsumption, decltype(&::nvmlDeviceGetTotalEnergyConsumption)>);
static_assert(kSame<&Api::nvmlDeviceGetClockInfo, decltype(&::nvmlDeviceGetClockInfo)>);
static_assert(kSame<&Api::nvmlDeviceGetMaxClockInfo, decltype(&::nvmlDeviceGetMaxClockInfo)>);
static_assert(kSame<&Api::nvmlDeviceGetTemperature, decltype(&::nvmlDeviceGetTemperature)>);
static_assert(kSame<&Api::nvmlDeviceGetTemperatureThreshold, decltype(&::nvmlDeviceGetTemperatureThreshold)>);
static_assert(kSame<&Api::nvmlDeviceGetEccMode, decltype(&::nvmlDeviceGetEccMode)>);
static_assert(kSame<&Api::nvmlDeviceGetTotalEccErrors, decltype(&::nvmlDeviceGetTotalEccErrors)>);
static_assert(kSame<&Api::nvmlDeviceGetMigMode, decltype(&::nvmlDeviceGetMigMode)>);
static_assert(kSame<&Api::nvmlDeviceGetVirtualizationMode, decltype(&::nvmlDeviceGetVirtualizationMode)>);
static_assert(
    kSame<&Api::nvmlDeviceGetCurrentClocksThrottleReasons, decltype(&::nvmlDeviceGetCurrentClocksThrottleReasons)>);
#if NVML_API_VERSION >= 12  // the name is newer than 11.8
static_assert(kSame<&Api::nvmlDeviceGetCurrentClocksEventReasons, decltype(&::nvmlDeviceGetCurrentClocksEventReasons)>);
#endif
static_assert(kSame<&Api::nvmlDeviceGetComputeRunningProcesses, decltype(&::nvmlDeviceGetComputeRunningProcesses)>);
static_assert(
    kSame<&Api::nvmlDeviceGetComputeRunningProcesses_v3, decltype(&::nvmlDeviceGetComputeRunningProcesses_v3)>);
static_assert(kSame<&Api::nvmlDeviceGetMultiGpuBoard, decltype(&::nvmlDeviceGetMultiGpuBoard)>);
static_assert(kSame<&Api::nvmlDeviceGetUtilizationRates, decltype(&::nvmlDeviceGetUtilizationRates)>);
static_assert(kSame<&Api::nvmlDeviceGetTopologyCommonAncestor, decltype(&::nvmlDeviceGetTopologyCommonAncestor)>);
static_assert(kSame<&Api::nvmlDeviceGetP2PStatus, decltype(&::nvmlDeviceGetP2PStatus)>);
static_assert(kSame<&Api::nvmlDeviceGetNvLinkState, decltype(&::nvmlDeviceGetNvLinkState)>);
static_assert(kSame<&Api::nvmlDeviceGetNvLinkRemoteDeviceType, decltype(&::nvmlDeviceGetNvLinkRemoteDeviceType)>);
static_assert(kSame<&Api::nvmlDeviceGetNvLinkRemotePciInfo_v2, decltype(&::nvmlDeviceGetNvLinkRemotePciInfo_v2)>);
#if NVML_API_VERSION >= 12  // confidential computing is newer than 11.8
static_assert(kSame<&Api::nvmlDeviceGetConfComputeGpuAttestationReport,
                    decltype(&::nvmlDeviceGetConfComputeGpuAttestationReport)>);
static_assert(kSame<&Api::nvmlDeviceGetConfComputeGpuCertificate, decltype(&::nvmlDeviceGetConfComputeGpuCertificate)>);
using TheirReport = nvmlConfComputeGpuAttestationReport_t;
static_assert(kSameLayout<AttestationReport, TheirReport> &&
              offsetof(AttestationReport, has_cec_report) == offsetof(TheirReport, isCecAttestationReportPresent) &&
              offsetof(AttestationReport, report_bytes) == offsetof(TheirReport, attestationReportSize) &&
              offsetof(AttestationReport, cec_report_bytes) == offsetof(TheirReport, cecAttestationReportSize) &&
              offsetof(AttestationReport, nonce) == offsetof(TheirReport, nonce) &&
              offsetof(AttestationReport, report) == offsetof(TheirReport, attestationReport) &&
              offsetof(AttestationReport, cec_report) == offsetof(TheirReport, cecAttestationReport));
using TheirCertificate = nvmlConfComputeGpuCertificate_t;
static_assert(kSameLayout<GpuCertificate, TheirCertificate> &&
              offsetof(GpuCertificate, attestation_chain_bytes) ==
                  offsetof(TheirCertificate, attestationCertChainSize) &&
              offsetof(GpuCertificate, chain) == offsetof(TheirCertificate, certChain) &&
              offsetof(GpuCertificate, attestation_chain) == offsetof(TheirCertificate, attestationCertChain));
static_assert(kNonceBytes == NVML_CC_GPU_CEC_NONCE_SIZE && kReportBytes == NVML_CC_GPU_ATTESTATION_REPORT_SIZE &&
              kAttestationChainBytes == NVML_GPU_ATTESTATION_CERT_CHAIN_SIZE);
#endif
// The comparison itself can fail.
static_assert(!kSame<&Api::nvmlDeviceGetTotalEnergyConsumption, decltype(&::nvmlDeviceGetPowerUsage)>);

static_assert(kSameLayout<Memory, nvmlMemory_t> && offsetof(Memory, free) == offsetof(nvmlMemory_t, free));
static_assert(kSameLayout<Utilization, nvmlUtilization_t>);
static_assert(kSameLayout<PciInfo, nvmlPciInfo_t> && offsetof(PciInfo, domain) == offsetof(nvmlPciInfo_t, domain) &&
              offsetof(PciInfo, pci_device_id) == offsetof(nvmlPciInfo_t, pciDeviceId) &&
              offsetof(PciInfo, bus_id) == offsetof(nvmlPciInfo_t, busId));
static_assert(kNameBytes >= NVML_DEVICE_NAME_V2_BUFFER_SIZE && kUuidBytes >= NVML_DEVICE_UUID_V2_BUFFER_SIZE);
static_assert(kVersionBytes >= NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE);
static_assert(kVersionBytes >= NVML_SYSTEM_NVML_VERSION_BUFFER_SIZE);
static_assert(kVbiosBytes >= NVML_DEVICE_VBIOS_VERSION_BUFFER_SIZE);
static_assert(int{kSuccess} == NVML_SUCCESS);
static_assert(int{kUninitialized} == NVML_ERROR_UNINITIALIZED);
static_assert(int{kInvalidArgument} == NVML_ERROR_INVALID_ARGUMENT);
static_assert(int{kNotSupported} == NVML_ERROR_NOT_SUPPORTED);
static_assert(int{kNoPermission} == NVML_ERROR_NO_PERMISSION);
static_assert(int{kNotFound} == NVML_ERROR_NOT_FOUND);
static_assert(int{kInsufficientSize} == NVML_ERROR_INSUFFICIENT_SIZE);
static_assert(int{kDriverNotLoaded} == NVML_ERROR_DRIVER_NOT_LOADED);
static_assert(int{kLibraryNotFound} == NVML_ERROR_LIBRARY_NOT_FOUND);
static_assert(int{kFunctionNotFound} == NVML_ERROR_FUNCTION_NOT_FOUND);
static_assert(int{kGpuIsLost} == NVML_ERROR_GPU_IS_LOST);
static_assert(int{kResetRequired} == NVML_ERROR_RESET_REQUIRED);
static_assert(int{kLibRmVersionMismatch} == NVML_ERROR_LIB_RM_VERSION_MISMATCH);
static_assert(int{kUnknownError} == NVML_ERROR_UNKNOWN);
static_assert(int{kClockGraphics} == NVML_CLOCK_GRAPHICS);
static_assert(int{kClockSm} == NVML_CLOCK_SM);
static_assert(int{kClockMemory} == NVML_CLOCK_MEM);
static_assert(int{kTemperatureGpu} == NVML_TEMPERATURE_GPU);
static_assert(int{kThresholdShutdown} == NVML_TEMPERATURE_THRESHOLD_SHUTDOWN);
static_assert(int{kThresholdSlowdown} == NVML_TEMPERATURE_THRESHOLD_SLOWDOWN);
static_assert(int{kErrorsCorrected} == NVML_MEMORY_ERROR_TYPE_CORRECTED);
static_assert(int{kErrorsUncorrected} == NVML_MEMORY_ERROR_TYPE_UNCORRECTED);
static_assert(int{kEccVolatile} == NVML_VOLATILE_ECC);
static_assert(int{kEccAggregate} == NVML_AGGREGATE_ECC);
static_assert(int{kFeatureDisabled} == NVML_FEATURE_DISABLED);
static_assert(int{kFeatureEnabled} == NVML_FEATURE_ENABLED);
static_assert(int{kTopologyInternal} == NVML_TOPOLOGY_INTERNAL);
static_assert(int{kTopologySingle} == NVML_TOPOLOGY_SINGLE);
static_assert(int{kTopologyMultiple} == NVML_TOPOLOGY_MULTIPLE);
static_assert(int{kTopologyHostBridge} == NVML_TOPOLOGY_HOSTBRIDGE);
static_assert(int{kTopologyNode} == NVML_TOPOLOGY_NODE);
static_assert(int{kTopologySystem} == NVML_TOPOLOGY_SYSTEM);
static_assert(int{kP2pRead} == NVML_P2P_CAPS_INDEX_READ);
static_assert(int{kP2pWrite} == NVML_P2P_CAPS_INDEX_WRITE);
static_assert(int{kP2pNvLink} == NVML_P2P_CAPS_INDEX_NVLINK);
static_assert(int{kP2pOk} == NVML_P2P_STATUS_OK);
static_assert(int{kP2pChipsetNotSupported} == NVML_P2P_STATUS_CHIPSET_NOT_SUPPORED);
static_assert(int{kP2pGpuNotSupported} == NVML_P2P_STATUS_GPU_NOT_SUPPORTED);
static_assert(int{kP2pTopologyNotSupported} == NVML_P2P_STATUS_IOH_TOPOLOGY_NOT_SUPPORTED);
static_assert(int{kP2pDisabledByRegkey} == NVML_P2P_STATUS_DISABLED_BY_REGKEY);
static_assert(int{kP2pNotSupported} == NVML_P2P_STATUS_NOT_SUPPORTED);
static_assert(int{kRemoteGpu} == NVML_NVLINK_DEVICE_TYPE_GPU);
static_assert(int{kRemoteNpu} == NVML_NVLINK_DEVICE_TYPE_IBMNPU);
static_assert(int{kRemoteSwitch} == NVML_NVLINK_DEVICE_TYPE_SWITCH);
static_assert(int{kBareMetal} == NVML_GPU_VIRTUALIZATION_MODE_NONE);
static_assert(int{kPassthrough} == NVML_GPU_VIRTUALIZATION_MODE_PASSTHROUGH);
static_assert(int{kVgpu} == NVML_GPU_VIRTUALIZATION_MODE_VGPU);
static_assert(int{kHostVgpu} == NVML_GPU_VIRTUALIZATION_MODE_HOST_VGPU);
static_assert(int{kHostVsga} == NVML_GPU_VIRTUALIZATION_MODE_HOST_VSGA);
static_assert(std::uint64_t{kReasonGpuIdle} == nvmlClocksThrottleReasonGpuIdle);
static_assert(std::uint64_t{kReasonApplicationsClocksSetting} == nvmlClocksThrottleReasonApplicationsClocksSetting);
static_assert(std::uint64_t{kReasonSwPowerCap} == nvmlClocksThrottleReasonSwPowerCap);
static_assert(std::uint64_t{kReasonHwSlowdown} == nvmlClocksThrottleReasonHwSlowdown);
static_assert(std::uint64_t{kReasonSyncBoost} == nvmlClocksThrottleReasonSyncBoost);
static_assert(std::uint64_t{kReasonSwThermalSlowdown} == nvmlClocksThrottleReasonSwThermalSlowdown);
static_assert(std::uint64_t{kReasonHwThermalSlowdown} == nvmlClocksThrottleReasonHwThermalSlowdown);
static_assert(std::uint64_t{kReasonHwPowerBrakeSlowdown} == nvmlClocksThrottleReasonHwPowerBrakeSlowdown);
static_assert(std::uint64_t{kReasonDisplayClockSetting} == nvmlClocksThrottleReasonDisplayClockSetting);

TEST(NvmlAbi, DeclarationsWereComparedWhenThisFileWasCompiled) { EXPECT_GE(NVML_API_VERSION, 11); }

}  // namespace
}  // namespace gpuassay::nvml
