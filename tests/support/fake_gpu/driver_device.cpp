// The fake driver: initialisation, devices, contexts, errors.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <thread>

#include "tests/support/fake_gpu/driver_entry.h"
#include "tests/support/fake_gpu/driver_exports.h"

namespace gpuassay::cuda {

using fake::driver_call;
using fake::Failure;
using fake::Lock;
using fake::locked;
using fake::Machine;
using fake::output;

namespace {

struct Named {
  int code;
  const char* name;
  const char* text;
};
constexpr std::array<Named, 26> kErrors{{
    {kSuccess, "CUDA_SUCCESS", "no error"},
    {kInvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {kStubLibrary, "CUDA_ERROR_STUB_LIBRARY", "CUDA driver is a stub library"},
    {kNoDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {kInvalidImage, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {kNoBinaryForGpu, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {kEccUncorrectable, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {kInvalidPtx, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {kUnsupportedPtxVersion, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
     "the provided PTX was compiled with an unsupported toolchain."},
    {kJitCompilationDisabled, "CUDA_ERROR_JIT_COMPILATION_DISABLED", "PTX JIT compilation was disabled"},
    {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {kNotFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {kNotReady, "CUDA_ERROR_NOT_READY", "device not ready"},
    {kIllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {kLaunchOutOfResources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {kMisalignedAddress, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {kLaunchFailed, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {kNotPermitted, "CUDA_ERROR_NOT_PERMITTED", "operation not permitted"},
    {kNotSupported, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {kSystemNotReady, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized"},
    {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {kUnknownError, "CUDA_ERROR_UNKNOWN", "unknown error"},
}};

const Named* error_named(int code) {
  for (const Named& error : kErrors) {
    if (error.code == code) return &error;
  }
  return nullptr;
}

void copy_text(char* to, int size, std::string_view text) {
  if (size <= 0) throw Failure{kInvalidValue};
  std::snprintf(&output(to), static_cast<std::size_t>(size), "%.*s", static_cast<int>(text.size()), text.data());
}

/// Number of bits of the attribute's answer that the profile gives; 0 for attributes nobody asks for.
int attribute_of(const fake::GpuProfile& gpu, const fake::Device& device, int attribute) {
  constexpr int kKhzPerMhz = 1000;
  const bool big_shared = gpu.major >= 8;
  switch (attribute) {
    case kMaxThreadsPerBlock: return 1024;
    case kMaxSharedMemoryPerBlock: return 49152;
    case kWarpSize: return 32;
    case kClockRate: return static_cast<int>(gpu.max_sm_mhz) * kKhzPerMhz;
    case kMultiprocessorCount: return gpu.sm_count;
    case kCanMapHostMemory:
    case kUnifiedAddressing: return 1;
    case kEccEnabled: return gpu.is_geforce() ? 0 : 1;
    case kPciBusId: return device.pci_bus();
    case kMemoryClockRate: return static_cast<int>(gpu.memory_mhz) * kKhzPerMhz;
    case kGlobalMemoryBusWidth: return gpu.bus_bits;
    case kL2CacheSize: return static_cast<int>(gpu.l2_bytes);
    case kMaxThreadsPerMultiprocessor:
      return gpu.capability() == 75 ? 1024 : big_shared && gpu.minor != 0 ? 1536 : 2048;
    case kAsyncEngineCount: return 2;
    case kComputeCapabilityMajor: return gpu.major;
    case kComputeCapabilityMinor: return gpu.minor;
    case kMaxSharedMemoryPerMultiprocessor: return big_shared ? 102400 : 65536;
    case kMaxSharedMemoryPerBlockOptin: return big_shared ? 101376 : 49152;
    default: return 0;
  }
}

}  // namespace

int gpuassay_simulated() { return 1; }

int gpuassay_fake_reset() {
  return locked([](Machine& machine, Lock&) { machine.reset(); });
}

int cuInit(unsigned flags) {
  return locked([&](Machine& machine, Lock&) {
    if (flags != 0) throw Failure{kInvalidValue};
    constexpr double kSlowStartS = 2;
    const fake::Fault* slow = machine.setup.fault("slow_start");
    if (slow != nullptr) std::this_thread::sleep_for(std::chrono::duration<double>(slow->number(kSlowStartS)));
    if (machine.setup.fault("stub") != nullptr) throw Failure{kStubLibrary};
    if (machine.setup.fault("no_device") != nullptr || machine.devices.empty()) throw Failure{kNoDevice};
    machine.initialized = true;
  });
}

int cuDriverGetVersion(int* version) {
  return locked([&](Machine& machine, Lock&) { output(version) = machine.setup.driver.cuda(); });
}

int cuGetErrorName(int result, const char** name) {
  const Named* error = error_named(result);
  if (name == nullptr) return kInvalidValue;
  *name = error == nullptr ? nullptr : error->name;
  return error == nullptr ? kInvalidValue : kSuccess;
}

int cuGetErrorString(int result, const char** text) {
  const Named* error = error_named(result);
  if (text == nullptr) return kInvalidValue;
  *text = error == nullptr ? nullptr : error->text;
  return error == nullptr ? kInvalidValue : kSuccess;
}

int cuDeviceGetCount(int* count) {
  return driver_call([&](Machine& machine, Lock&) { output(count) = static_cast<int>(machine.devices.size()); });
}

int cuDeviceGet(Device* device, int ordinal) {
  return driver_call([&](Machine& machine, Lock&) { output(device) = machine.device(ordinal).ordinal(); });
}

int cuDeviceGetName(char* name, int size, Device device) {
  return driver_call(
      [&](Machine& machine, Lock&) { copy_text(name, size, machine.device(device).profile().driver_name); });
}

int cuDeviceGetAttribute(int* value, int attribute, Device device) {
  return driver_call([&](Machine& machine, Lock&) {
    const fake::Device& asked = machine.device(device);
    output(value) = attribute_of(asked.profile(), asked, attribute);
  });
}

int cuDeviceTotalMem_v2(std::size_t* bytes, Device device) {
  return driver_call([&](Machine& machine, Lock&) { output(bytes) = machine.device(device).profile().memory_bytes; });
}

int cuDeviceGetPCIBusId(char* id, int size, Device device) {
  return driver_call([&](Machine& machine, Lock&) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "0000:%02X:00.0", static_cast<unsigned>(machine.device(device).pci_bus()));
    copy_text(id, size, text.data());
  });
}

int cuDeviceGetUuid(Uuid* uuid, Device device) {
  return driver_call([&](Machine& machine, Lock&) {
    std::memcpy(output(uuid).bytes, machine.device(device).uuid().data(), sizeof(Uuid));
  });
}

int cuDeviceGetUuid_v2(Uuid* uuid, Device device) { return cuDeviceGetUuid(uuid, device); }

int cuDevicePrimaryCtxRetain(Context* context, Device device) {
  return driver_call([&](Machine& machine, Lock&) { output(context) = machine.retain_primary(device); });
}

int cuDevicePrimaryCtxRelease(Device device) {
  return driver_call([&](Machine& machine, Lock&) { machine.release_primary(device); });
}

int cuDevicePrimaryCtxRelease_v2(Device device) { return cuDevicePrimaryCtxRelease(device); }

int cuDevicePrimaryCtxSetFlags_v2(Device device, unsigned /*flags*/) {
  return driver_call([&](Machine& machine, Lock&) { machine.device(device); });
}

int cuCtxSetCurrent(Context context) {
  return driver_call([&](Machine& machine, Lock&) { machine.set_current(context); });
}

int cuCtxSynchronize() {
  return driver_call([&](Machine& machine, Lock& lock) { machine.synchronize(machine.current(), lock); });
}

}  // namespace gpuassay::cuda
