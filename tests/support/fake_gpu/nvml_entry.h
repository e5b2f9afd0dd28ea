// How does every function of the fake NVML begin and end?
#pragma once

#include <cstdio>
#include <exception>
#include <mutex>

#include "agent/dynlib/nvml.h"
#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::nvml {

struct DeviceRecord {
  int ordinal = 0;
};

}  // namespace gpuassay::nvml

namespace gpuassay::fake {

/// An NVML status on its way to the caller.
class NvmlFailure final : public std::exception {
 public:
  explicit NvmlFailure(int cause) : status(cause) {}
  int status;
};

/// Whether nvmlInit_v2 was called more often than nvmlShutdown.
int& nvml_uses();
/// The record behind a handle of device `ordinal`.
nvml::Device nvml_device(int ordinal);

/// Calls body(machine) under the machine's lock; the status of what it throws.
template <class Body>
int nvml_call(Body body) noexcept {
  try {
    Machine& machine = Machine::instance();
    const std::unique_lock lock(machine.mutex);
    if (nvml_uses() == 0) return nvml::kUninitialized;
    body(machine);
    return nvml::kSuccess;
  } catch (const NvmlFailure& failure) {
    return failure.status;
  } catch (const Failure&) {
    return nvml::kInvalidArgument;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake NVML: %s\n", error.what());
    return nvml::kUnknownError;
  }
}

/// A question about one device: body(machine, device). What the faults `lost` and `nvml_denied` refuse is refused here.
template <class Body>
int nvml_query(nvml::Device handle, Body body) noexcept {
  return nvml_call([&](Machine& machine) {
    if (handle == nullptr || handle != nvml_device(handle->ordinal)) throw NvmlFailure{nvml::kInvalidArgument};
    Device& device = machine.device(handle->ordinal);
    if (device.sticky_error == cuda::kUnknownError) throw NvmlFailure{nvml::kGpuIsLost};
    if (machine.setup.fault("nvml_denied", device.ordinal()) != nullptr) throw NvmlFailure{nvml::kNoPermission};
    body(machine, device);
  });
}

/// Refuses what this board, driver or guest does not tell.
inline void require_support(bool supported) {
  if (!supported) throw NvmlFailure{nvml::kNotSupported};
}

}  // namespace gpuassay::fake
