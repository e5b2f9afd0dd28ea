// The exported functions of the fake libnvidia-ml.so.1; compared with the agent's table in nvml_facts.cpp.
#pragma once

#include "agent/dynlib/nvml.h"

namespace gpuassay::nvml {
#pragma GCC visibility push(default)
extern "C" {
int gpuassay_simulated();
int nvmlInit_v2();
int nvmlShutdown();
const char* nvmlErrorString(int status);
int nvmlDeviceGetCount_v2(unsigned* count);
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device);
int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, Device* device);
int nvmlDeviceGetName(Device device, char* name, unsigned size);
int nvmlDeviceGetMemoryInfo(Device device, Memory* memory);
int nvmlSystemGetDriverVersion(char* version, unsigned size);
int nvmlSystemGetNVMLVersion(char* version, unsigned size);
int nvmlDeviceGetUUID(Device device, char* uuid, unsigned size);
int nvmlDeviceGetPciInfo_v3(Device device, PciInfo* info);
int nvmlDeviceGetVbiosVersion(Device device, char* version, unsigned size);
int nvmlDeviceGetCurrPcieLinkGeneration(Device device, unsigned* generation);
int nvmlDeviceGetMaxPcieLinkGeneration(Device device, unsigned* generation);
int nvmlDeviceGetCurrPcieLinkWidth(Device device, unsigned* lanes);
int nvmlDeviceGetMaxPcieLinkWidth(Device device, unsigned* lanes);
int nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts);
int nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned* milliwatts);
int nvmlDeviceGetPowerManagementLimit(Device device, unsigned* milliwatts);
int nvmlDeviceGetPowerManagementDefaultLimit(Device device, unsigned* milliwatts);
int nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* millijoules);
int nvmlDeviceGetClockInfo(Device device, int clock_type, unsigned* mhz);
int nvmlDeviceGetMaxClockInfo(Device device, int clock_type, unsigned* mhz);
int nvmlDeviceGetTemperature(Device device, int sensor, unsigned* celsius);
int nvmlDeviceGetTemperatureThreshold(Device device, int threshold, unsigned* celsius);
int nvmlDeviceGetEccMode(Device device, int* current, int* pending);
int nvmlDeviceGetTotalEccErrors(Device device, int error_type, int counter, unsigned long long* count);
int nvmlDeviceGetMigMode(Device device, unsigned* current, unsigned* pending);
int nvmlDeviceGetVirtualizationMode(Device device, int* mode);
int nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* reasons);
int nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* reasons);
int nvmlDeviceGetComputeRunningProcesses(Device device, unsigned* count, void* infos);
int nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned* count, void* infos);
int nvmlDeviceGetMultiGpuBoard(Device device, unsigned* on_multi_gpu_board);
int nvmlDeviceGetUtilizationRates(Device device, Utilization* utilization);
int nvmlDeviceGetTopologyCommonAncestor(Device one, Device other, int* level);
int nvmlDeviceGetP2PStatus(Device one, Device other, int capability, int* status);
int nvmlDeviceGetNvLinkState(Device device, unsigned link, int* active);
int nvmlDeviceGetNvLinkRemoteDeviceType(Device device, unsigned link, int* type);
int nvmlDeviceGetNvLinkRemotePciInfo_v2(Device device, unsigned link, PciInfo* remote);
int nvmlDeviceGetConfComputeGpuAttestationReport(Device device, AttestationReport* report);
int nvmlDeviceGetConfComputeGpuCertificate(Device device, GpuCertificate* certificate);
}
#pragma GCC visibility pop
}  // namespace gpuassay::nvml
