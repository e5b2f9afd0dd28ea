// How does every function of the fake cuBLAS and cuBLASLt begin and end?
#pragma once

#include <csignal>
#include <cstdio>
#include <exception>
#include <mutex>

#include "agent/dynlib/cublas.h"
#include "tests/support/fake_gpu/library.h"

namespace gpuassay::fake {

/// A library's own status on its way to the caller.
class StatusFailure final : public std::exception {
 public:
  explicit StatusFailure(int cause) : status(cause) {}
  int status;
};

inline int cublas_status_of(const Failure& failure) {
  switch (failure.code) {
    case cuda::kOutOfMemory: return cublas::kAllocFailed;
    case cuda::kInvalidValue:
    case cuda::kInvalidHandle: return cublas::kInvalidValue;
    case cuda::kStubLibrary:
    case cuda::kNoDevice:
    case cuda::kInvalidContext: return cublas::kNotInitialized;
    default: return cublas::kExecutionFailed;
  }
}

/// Calls body(machine) under the machine's lock; the cuBLAS status of what it throws.
template <class Body>
int cublas_call(Body body) noexcept {
  try {
    Machine& machine = Machine::instance();
    const std::unique_lock lock(machine.mutex);
    body(machine);
    return cublas::kSuccess;
  } catch (const StatusFailure& failure) {
    return failure.status;
  } catch (const Failure& failure) {
    return cublas_status_of(failure);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake cuBLAS: %s\n", error.what());
    return cublas::kInternalError;
  }
}

/// The version this shared object imitates: FAKE_MAJOR with the usual minor version, or what GPUASSAY_FAKE_CUBLAS says.
inline Version cublas_version() {
  constexpr Version kUsual = FAKE_MAJOR == 13   ? Version{13, 0, 2}
                             : FAKE_MAJOR == 12 ? Version{12, 4, 5}
                                                : Version{11, 11, 3};
  return library_version("GPUASSAY_FAKE_CUBLAS", kUsual);
}

/// What creating a handle needs: a driver of the right age and a device. The GPU is not asked about: a real library
/// finds out that it has no kernels for it when it is to compute.
inline void check_create(Machine& machine) {
  if (machine.setup.driver.branch < cublas_coverage(cublas_version()).driver_branch) {
    throw StatusFailure{cublas::kNotInitialized};
  }
  initialize_runtime(machine);
  const Fault* crash = machine.setup.fault("crash", machine.current().ordinal());
  if (crash != nullptr && crash->value == "create") std::raise(SIGSEGV);
}

inline int property(int type, int* value) {
  const Version version = cublas_version();
  if (value == nullptr || type < cublas::kMajorVersion || type > cublas::kPatchLevel) return cublas::kInvalidValue;
  *value = type == cublas::kMajorVersion   ? version.major
           : type == cublas::kMinorVersion ? version.minor
                                           : version.patch;
  return cublas::kSuccess;
}

}  // namespace gpuassay::fake
