// The fake libnvidia-ml.so.1: what does not change under load.
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "kernels/random_normal.h"
#include "tests/support/fake_gpu/nvml_entry.h"
#include "tests/support/fake_gpu/nvml_exports.h"

namespace gpuassay::fake {

int& nvml_uses() {
  static int uses = 0;
  return uses;
}

nvml::Device nvml_device(int ordinal) {
  constexpr std::size_t kMost = 64;
  static std::array<nvml::DeviceRecord, kMost> records{};
  if (ordinal < 0 || static_cast<std::size_t>(ordinal) >= kMost) throw NvmlFailure{nvml::kInvalidArgument};
  nvml::DeviceRecord& record = records.at(static_cast<std::size_t>(ordinal));
  record.ordinal = ordinal;
  return &record;
}

}  // namespace gpuassay::fake

namespace gpuassay::nvml {

using fake::Machine;
using fake::nvml_call;
using fake::nvml_query;
using fake::NvmlFailure;
using fake::require_support;

namespace {

void copy_text(char* to, unsigned size, const std::string& text) {
  if (to == nullptr) throw NvmlFailure{kInvalidArgument};
  if (size <= text.size()) throw NvmlFailure{kInsufficientSize};
  std::memcpy(to, text.c_str(), text.size() + 1);
}

std::string bus_id(const fake::Device& device, const char* format) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, static_cast<unsigned>(device.pci_bus()));
  return text.data();
}

bool has_ecc(const fake::Device& device) { return !device.profile().is_geforce(); }

bool is_vgpu(const Machine& machine, const fake::Device& device) {
  return machine.setup.fault("vgpu", device.ordinal()) != nullptr;
}

}  // namespace

int gpuassay_simulated() { return 1; }

int nvmlInit_v2() {
  Machine& machine = Machine::instance();
  const std::unique_lock lock(machine.mutex);
  if (machine.setup.fault("no_device") != nullptr || machine.devices.empty()) return kDriverNotLoaded;
  constexpr double kSlowNvmlS = 2;
  const fake::Fault* slow = machine.setup.fault("slow_nvml");
  if (slow != nullptr) std::this_thread::sleep_for(std::chrono::duration<double>(slow->number(kSlowNvmlS)));
  ++fake::nvml_uses();
  return kSuccess;
}

int nvmlShutdown() {
  return nvml_call([](Machine&) { --fake::nvml_uses(); });
}

const char* nvmlErrorString(int status) {
  switch (status) {
    case kSuccess: return "The operation was successful";
    case kUninitialized: return "Uninitialized";
    case kInvalidArgument: return "Invalid Argument";
    case kNotSupported: return "Not Supported";
    case kNoPermission: return "Insufficient Permissions";
    case kNotFound: return "Not Found";
    case kInsufficientSize: return "Insufficient Size";
    case kDriverNotLoaded: return "Driver Not Loaded";
    case kFunctionNotFound: return "Function Not Found";
    case kGpuIsLost: return "GPU is lost";
    default: return "Unknown Error";
  }
}

int nvmlDeviceGetCount_v2(unsigned* count) {
  return nvml_call([&](Machine& machine) { *count = static_cast<unsigned>(machine.devices.size()); });
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  return nvml_call(
      [&](Machine& machine) { *device = fake::nvml_device(machine.device(static_cast<int>(index)).ordinal()); });
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* id, Device* device) {
  return nvml_call([&](Machine& machine) {
    if (id == nullptr) throw NvmlFailure{kInvalidArgument};
    char* end = nullptr;
    const unsigned long domain = std::strtoul(id, &end, 16);
    if (*end != ':') throw NvmlFailure{kInvalidArgument};
    const unsigned long bus = std::strtoul(end + 1, nullptr, 16);
    for (const auto& candidate : machine.devices) {
      if (domain != 0 || candidate->pci_bus() != static_cast<int>(bus)) continue;
      *device = fake::nvml_device(candidate->ordinal());
      return;
    }
    throw NvmlFailure{kNotFound};
  });
}

int nvmlDeviceGetName(Device device, char* name, unsigned size) {
  return nvml_query(device, [&](Machine&, fake::Device& asked) {
    // The name of the card, of which a MIG instance is a part.
    const std::string& full = asked.profile().driver_name;
    copy_text(name, size, full.substr(0, full.find(" MIG ")));
  });
}

int nvmlDeviceGetMemoryInfo(Device device, Memory* memory) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    memory->total = asked.profile().memory_bytes;
    memory->free = machine.free_bytes(asked);
    memory->used = memory->total - memory->free;
  });
}

int nvmlSystemGetDriverVersion(char* version, unsigned size) {
  return nvml_call([&](Machine& machine) { copy_text(version, size, machine.setup.driver.text); });
}

int nvmlSystemGetNVMLVersion(char* version, unsigned size) {
  return nvml_call([&](Machine& machine) { copy_text(version, size, "12." + machine.setup.driver.text); });
}

int nvmlDeviceGetUUID(Device device, char* uuid, unsigned size) {
  return nvml_query(device, [&](Machine&, fake::Device& asked) {
    const auto bytes = asked.uuid();
    std::string text = "GPU-";
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += kDigits[bytes[i] >> 4U];
      text += kDigits[bytes[i] & 0xfU];
    }
    copy_text(uuid, size, text);
  });
}

int nvmlDeviceGetPciInfo_v3(Device device, PciInfo* info) {
  return nvml_query(device, [&](Machine&, fake::Device& asked) {
    constexpr unsigned kVendor = 0x10de;
    *info = PciInfo{};
    copy_text(info->bus_id_legacy, sizeof(info->bus_id_legacy), bus_id(asked, "0000:%02X:00.0"));
    copy_text(info->bus_id, sizeof(info->bus_id), bus_id(asked, "00000000:%02X:00.0"));
    info->bus = static_cast<unsigned>(asked.pci_bus());
    info->pci_device_id = asked.profile().pci_device << 16U | kVendor;
    info->pci_subsystem_id = 0x1234U << 16U | kVendor;
  });
}

int nvmlDeviceGetVbiosVersion(Device device, char* version, unsigned size) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_support(!is_vgpu(machine, asked));
    copy_text(version, size, std::to_string(asked.profile().capability()) + ".00.5A.00.01");
  });
}

int nvmlDeviceGetMaxPcieLinkGeneration(Device device, unsigned* generation) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_support(!is_vgpu(machine, asked));
    *generation = static_cast<unsigned>(asked.profile().pcie_generation);
  });
}

int nvmlDeviceGetMaxPcieLinkWidth(Device device, unsigned* lanes) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_support(!is_vgpu(machine, asked));
    *lanes = static_cast<unsigned>(asked.profile().pcie_lanes);
  });
}

int nvmlDeviceGetPowerManagementDefaultLimit(Device device, unsigned* milliwatts) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_support(!is_vgpu(machine, asked));
    *milliwatts = static_cast<unsigned>(asked.profile().power_limit_w * 1000);
  });
}

int nvmlDeviceGetMaxClockInfo(Device device, int clock_type, unsigned* mhz) {
  return nvml_query(device, [&](Machine&, fake::Device& asked) {
    const double clock = clock_type == kClockMemory ? asked.profile().memory_mhz : asked.profile().max_sm_mhz;
    *mhz = static_cast<unsigned>(clock);
  });
}

int nvmlDeviceGetTemperatureThreshold(Device device, int threshold, unsigned* celsius) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_support(!is_vgpu(machine, asked));
    constexpr unsigned kShutdownC = 96, kSlowdownC = 93;
    *celsius = threshold == kThresholdShutdown ? kShutdownC : kSlowdownC;
  });
}

int nvmlDeviceGetEccMode(Device device, int* current, int* pending) {
  return nvml_query(device, [&](Machine&, fake::Device& asked) {
    require_support(has_ecc(asked));
    *current = kFeatureEnabled;
    *pending = kFeatureEnabled;
  });
}

int nvmlDeviceGetTotalEccErrors(Device device, int error_type, int /*counter*/, unsigned long long* count) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    require_support(has_ecc(asked) && !is_vgpu(machine, asked));
    const fake::Fault* ecc = machine.setup.fault("ecc", asked.ordinal());
    const bool shown = ecc != nullptr && error_type == kErrorsUncorrected && machine.marks.has("ecc", asked.ordinal());
    *count = shown ? std::max(1ULL, static_cast<unsigned long long>(ecc->number(1))) : 0;
  });
}

int nvmlDeviceGetMigMode(Device device, unsigned* current, unsigned* pending) {
  return nvml_query(device, [&](Machine& machine, fake::Device& asked) {
    const int capability = asked.profile().capability();
    require_support(capability == 80 || capability == 90 || capability == 100);
    *current = machine.setup.fault("mig", asked.ordinal()) != nullptr ? kFeatureEnabled : kFeatureDisabled;
    *pending = *current;
  });
}

int nvmlDeviceGetVirtualizationMode(Device device, int* mode) {
  return nvml_query(
      device, [&](Machine& machine, fake::Device& asked) { *mode = is_vgpu(machine, asked) ? kVgpu : kPassthrough; });
}

int nvmlDeviceGetMultiGpuBoard(Device device, unsigned* on_multi_gpu_board) {
  return nvml_query(device,
                    [&](Machine&, fake::Device& asked) { *on_multi_gpu_board = asked.profile().dual_board ? 1 : 0; });
}

namespace {

/// Compiles only while the prototypes are those of the agent's table.
[[maybe_unused]] const Api kSamePrototypes{
    .nvmlInit_v2 = nvmlInit_v2,
    .nvmlShutdown = nvmlShutdown,
    .nvmlErrorString = nvmlErrorString,
    .nvmlDeviceGetHandleByPciBusId_v2 = nvmlDeviceGetHandleByPciBusId_v2,
    .nvmlDeviceGetMemoryInfo = nvmlDeviceGetMemoryInfo,
    .nvmlSystemGetDriverVersion = nvmlSystemGetDriverVersion,
    .nvmlSystemGetNVMLVersion = nvmlSystemGetNVMLVersion,
    .nvmlDeviceGetUUID = nvmlDeviceGetUUID,
    .nvmlDeviceGetPciInfo_v3 = nvmlDeviceGetPciInfo_v3,
    .nvmlDeviceGetVbiosVersion = nvmlDeviceGetVbiosVersion,
    .nvmlDeviceGetCurrPcieLinkGeneration = nvmlDeviceGetCurrPcieLinkGeneration,
    .nvmlDeviceGetMaxPcieLinkGeneration = nvmlDeviceGetMaxPcieLinkGeneration,
    .nvmlDeviceGetCurrPcieLinkWidth = nvmlDeviceGetCurrPcieLinkWidth,
    .nvmlDeviceGetMaxPcieLinkWidth = nvmlDeviceGetMaxPcieLinkWidth,
    .nvmlDeviceGetPowerUsage = nvmlDeviceGetPowerUsage,
    .nvmlDeviceGetEnforcedPowerLimit = nvmlDeviceGetEnforcedPowerLimit,
    .nvmlDeviceGetPowerManagementLimit = nvmlDeviceGetPowerManagementLimit,
    .nvmlDeviceGetPowerManagementDefaultLimit = nvmlDeviceGetPowerManagementDefaultLimit,
    .nvmlDeviceGetTotalEnergyConsumption = nvmlDeviceGetTotalEnergyConsumption,
    .nvmlDeviceGetClockInfo = nvmlDeviceGetClockInfo,
    .nvmlDeviceGetMaxClockInfo = nvmlDeviceGetMaxClockInfo,
    .nvmlDeviceGetTemperature = nvmlDeviceGetTemperature,
    .nvmlDeviceGetTemperatureThreshold = nvmlDeviceGetTemperatureThreshold,
    .nvmlDeviceGetEccMode = nvmlDeviceGetEccMode,
    .nvmlDeviceGetTotalEccErrors = nvmlDeviceGetTotalEccErrors,
    .nvmlDeviceGetMigMode = nvmlDeviceGetMigMode,
    .nvmlDeviceGetVirtualizationMode = nvmlDeviceGetVirtualizationMode,
    .nvmlDeviceGetCurrentClocksThrottleReasons = nvmlDeviceGetCurrentClocksThrottleReasons,
    .nvmlDeviceGetCurrentClocksEventReasons = nvmlDeviceGetCurrentClocksEventReasons,
    .nvmlDeviceGetComputeRunningProcesses = nvmlDeviceGetComputeRunningProcesses,
    .nvmlDeviceGetComputeRunningProcesses_v3 = nvmlDeviceGetComputeRunningProcesses_v3,
    .nvmlDeviceGetMultiGpuBoard = nvmlDeviceGetMultiGpuBoard,
    .nvmlDeviceGetUtilizationRates = nvmlDeviceGetUtilizationRates,
    .nvmlDeviceGetCount_v2 = nvmlDeviceGetCount_v2,
    .nvmlDeviceGetHandleByIndex_v2 = nvmlDeviceGetHandleByIndex_v2,
    .nvmlDeviceGetName = nvmlDeviceGetName,
    .nvmlDeviceGetTopologyCommonAncestor = nvmlDeviceGetTopologyCommonAncestor,
    .nvmlDeviceGetP2PStatus = nvmlDeviceGetP2PStatus,
    .nvmlDeviceGetNvLinkState = nvmlDeviceGetNvLinkState,
    .nvmlDeviceGetNvLinkRemoteDeviceType = nvmlDeviceGetNvLinkRemoteDeviceType,
    .nvmlDeviceGetNvLinkRemotePciInfo_v2 = nvmlDeviceGetNvLinkRemotePciInfo_v2,
};

}  // namespace
}  // namespace gpuassay::nvml
