// Which functions of NVML (libnvidia-ml.so.1) does gpuassay call? Unversioned calls with plain integers wherever there
// is a choice: they never changed. Our own declarations; tests/component/nvml_abi_test.cpp compares them with <nvml.h>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <vector>

#include "agent/dynlib/function_table.h"
#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/shared_library.h"

namespace gpuassay::nvml {

inline constexpr const char* kSoname = "libnvidia-ml.so.1";

// ---- the ABI of NVML; enums travel as int ----
struct DeviceRecord;
using Device = DeviceRecord*;

/// Bytes.
struct Memory {
  unsigned long long total, free, used;
};
/// Percent of the last sample period in which the device computed, or its memory was accessed.
struct Utilization {
  unsigned gpu, memory;
};
struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device;
  unsigned pci_device_id;     ///< device id in the upper 16 bits, vendor id in the lower
  unsigned pci_subsystem_id;  ///< the same of the board
  char bus_id[32];            ///< "00000000:01:00.0"
};

inline constexpr std::size_t kNonceBytes = 0x20, kReportBytes = 0x2000, kCecReportBytes = 0x1000;
inline constexpr std::size_t kCertificateChainBytes = 0x1000, kAttestationChainBytes = 0x1400;
/// What a GPU in confidential-compute mode says of itself over the caller's nonce: SPDM messages.
struct AttestationReport {
  unsigned has_cec_report, report_bytes, cec_report_bytes;
  unsigned char nonce[kNonceBytes];
  unsigned char report[kReportBytes];
  unsigned char cec_report[kCecReportBytes];
};
/// Certificates in PEM; those of the key that signs reports are in the second chain, its own first.
struct GpuCertificate {
  unsigned chain_bytes, attestation_chain_bytes;
  unsigned char chain[kCertificateChainBytes];
  unsigned char attestation_chain[kAttestationChainBytes];
};

/// Buffer sizes, with the terminating NUL, that suffice for every NVML.
inline constexpr unsigned kNameBytes = 96, kUuidBytes = 96, kVersionBytes = 80, kVbiosBytes = 32;

/// Status codes that gpuassay tells apart. 3, 4 and 13 mean that the answer is unknown, never that it is zero.
enum Status : int {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNoPermission = 4,
  kNotFound = 6,
  kInsufficientSize = 7,
  kDriverNotLoaded = 9,
  kLibraryNotFound = 12,
  kFunctionNotFound = 13,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kLibRmVersionMismatch = 18,  ///< the library is of another driver version than the kernel module
  kUnknownError = 999,
};
enum ClockType : int { kClockGraphics = 0, kClockSm = 1, kClockMemory = 2 };
enum TemperatureSensor : int { kTemperatureGpu = 0 };
enum TemperatureThreshold : int { kThresholdShutdown = 0, kThresholdSlowdown = 1 };
enum MemoryErrorType : int { kErrorsCorrected = 0, kErrorsUncorrected = 1 };
enum EccCounter : int { kEccVolatile = 0, kEccAggregate = 1 };
enum Feature : int { kFeatureDisabled = 0, kFeatureEnabled = 1 };
/// What the PCIe paths of two devices have in common, nearest first.
enum TopologyLevel : int {
  kTopologyInternal = 0,  ///< one board
  kTopologySingle = 10,   ///< one PCIe switch
  kTopologyMultiple = 20,
  kTopologyHostBridge = 30,
  kTopologyNode = 40,  ///< several host bridges of one NUMA node
  kTopologySystem = 50,
};
enum P2pCapability : int { kP2pRead = 0, kP2pWrite = 1, kP2pNvLink = 2 };
enum P2pStatus : int {
  kP2pOk = 0,
  kP2pChipsetNotSupported = 1,
  kP2pGpuNotSupported = 2,
  kP2pTopologyNotSupported = 3,
  kP2pDisabledByRegkey = 4,
  kP2pNotSupported = 5,
};
enum NvLinkRemote : int { kRemoteGpu = 0, kRemoteNpu = 1, kRemoteSwitch = 2 };
enum VirtualizationMode : int { kBareMetal = 0, kPassthrough = 1, kVgpu = 2, kHostVgpu = 3, kHostVsga = 4 };
/// Bits of the clocks event (formerly throttle) reasons.
enum ClocksEventReason : std::uint64_t {
  kReasonGpuIdle = 0x1,
  kReasonApplicationsClocksSetting = 0x2,
  kReasonSwPowerCap = 0x4,
  kReasonHwSlowdown = 0x8,
  kReasonSyncBoost = 0x10,
  kReasonSwThermalSlowdown = 0x20,
  kReasonHwThermalSlowdown = 0x40,
  kReasonHwPowerBrakeSlowdown = 0x80,
  kReasonDisplayClockSetting = 0x100,
};

/// The functions, under their exported names. Required ones are never null; optional ones may be.
struct Api {
  // required
  int (*nvmlInit_v2)() = nullptr;
  int (*nvmlShutdown)() = nullptr;
  const char* (*nvmlErrorString)(int status) = nullptr;
  int (*nvmlDeviceGetHandleByPciBusId_v2)(const char* bus_id, Device* device) = nullptr;
  int (*nvmlDeviceGetMemoryInfo)(Device, Memory* memory) = nullptr;
  // optional: a missing one makes its field unknown
  int (*nvmlSystemGetDriverVersion)(char* version, unsigned size) = nullptr;
  int (*nvmlSystemGetNVMLVersion)(char* version, unsigned size) = nullptr;
  int (*nvmlDeviceGetUUID)(Device, char* uuid, unsigned size) = nullptr;
  int (*nvmlDeviceGetPciInfo_v3)(Device, PciInfo* info) = nullptr;
  int (*nvmlDeviceGetVbiosVersion)(Device, char* version, unsigned size) = nullptr;
  int (*nvmlDeviceGetCurrPcieLinkGeneration)(Device, unsigned* generation) = nullptr;
  int (*nvmlDeviceGetMaxPcieLinkGeneration)(Device, unsigned* generation) = nullptr;
  int (*nvmlDeviceGetCurrPcieLinkWidth)(Device, unsigned* lanes) = nullptr;
  int (*nvmlDeviceGetMaxPcieLinkWidth)(Device, unsigned* lanes) = nullptr;
  int (*nvmlDeviceGetPowerUsage)(Device, unsigned* milliwatts) = nullptr;
  int (*nvmlDeviceGetEnforcedPowerLimit)(Device, unsigned* milliwatts) = nullptr;
  int (*nvmlDeviceGetPowerManagementLimit)(Device, unsigned* milliwatts) = nullptr;
  int (*nvmlDeviceGetPowerManagementDefaultLimit)(Device, unsigned* milliwatts) = nullptr;
  int (*nvmlDeviceGetTotalEnergyConsumption)(Device, unsigned long long* millijoules) = nullptr;  ///< since driver load
  int (*nvmlDeviceGetClockInfo)(Device, int clock_type, unsigned* mhz) = nullptr;
  int (*nvmlDeviceGetMaxClockInfo)(Device, int clock_type, unsigned* mhz) = nullptr;
  int (*nvmlDeviceGetTemperature)(Device, int sensor, unsigned* celsius) = nullptr;
  int (*nvmlDeviceGetTemperatureThreshold)(Device, int threshold, unsigned* celsius) = nullptr;
  int (*nvmlDeviceGetEccMode)(Device, int* current, int* pending) = nullptr;
  int (*nvmlDeviceGetTotalEccErrors)(Device, int error_type, int counter, unsigned long long* count) = nullptr;
  int (*nvmlDeviceGetMigMode)(Device, unsigned* current, unsigned* pending) = nullptr;
  int (*nvmlDeviceGetVirtualizationMode)(Device, int* mode) = nullptr;
  /// The event reasons under the name of drivers before 535; newer ones export both names.
  int (*nvmlDeviceGetCurrentClocksThrottleReasons)(Device, unsigned long long* reasons) = nullptr;
  int (*nvmlDeviceGetCurrentClocksEventReasons)(Device, unsigned long long* reasons) = nullptr;
  /// With count 0 and no array they answer kInsufficientSize and the number of processes.
  int (*nvmlDeviceGetComputeRunningProcesses)(Device, unsigned* count, void* infos) = nullptr;
  int (*nvmlDeviceGetComputeRunningProcesses_v3)(Device, unsigned* count, void* infos) = nullptr;
  int (*nvmlDeviceGetMultiGpuBoard)(Device, unsigned* on_multi_gpu_board) = nullptr;
  int (*nvmlDeviceGetUtilizationRates)(Device, Utilization* utilization) = nullptr;
  int (*nvmlDeviceGetCount_v2)(unsigned* count) = nullptr;
  int (*nvmlDeviceGetHandleByIndex_v2)(unsigned index, Device* device) = nullptr;
  int (*nvmlDeviceGetName)(Device, char* name, unsigned size) = nullptr;
  int (*nvmlDeviceGetTopologyCommonAncestor)(Device, Device, int* level) = nullptr;
  int (*nvmlDeviceGetP2PStatus)(Device, Device, int capability, int* status) = nullptr;
  int (*nvmlDeviceGetNvLinkState)(Device, unsigned link, int* active) = nullptr;
  int (*nvmlDeviceGetNvLinkRemoteDeviceType)(Device, unsigned link, int* type) = nullptr;
  int (*nvmlDeviceGetNvLinkRemotePciInfo_v2)(Device, unsigned link, PciInfo* remote) = nullptr;
  int (*nvmlDeviceGetConfComputeGpuAttestationReport)(Device, AttestationReport* report) = nullptr;
  int (*nvmlDeviceGetConfComputeGpuCertificate)(Device, GpuCertificate* certificate) = nullptr;
};

/// Every exported name gpuassay asks for, in the order of Api.
std::vector<SymbolName> symbol_names();

struct LoadedLibrary {
  SharedLibrary library;
  Api api;
  bool simulated = false;  ///< it exports `gpuassay_simulated`: a fake of the tests
};

/// Opens NVML at `candidate`; calls nothing in it. Stays mapped for the life of the process.
/// Throws Error{library_missing} when it is absent, does not load or lacks a required function.
LoadedLibrary load(const LibraryCandidate& candidate);

/// Throws unless `status` is kSuccess: Error{unsupported} for 3 and 13, Error{library_failed} for the rest, with
/// NVML's own text.
void check(const Api& api, int status, const char* symbol,
           std::source_location where = std::source_location::current());

}  // namespace gpuassay::nvml
