// Which version of a library on top of the driver is being imitated, and does it have kernels for this GPU?
#pragma once

#include <mutex>
#include <string>

#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::fake {

struct Version {
  int major = 0, minor = 0, patch = 0;
};

/// The version of that major number in the environment variable, else `absent`.
Version library_version(const char* variable, const Version& absent);

/// Lowest and highest compute capability (10 x major + minor) with kernels, and the oldest driver branch.
struct Coverage {
  int lowest = 0, highest = 0, driver_branch = 0;
};
Coverage cublas_coverage(const Version& version);
Coverage cudnn_coverage(const Version& version);

/// What a library's create function does first: the driver's primary context of device 0 where none is current. Throws
/// Failure as cuInit does.
void initialize_runtime(Machine& machine);

/// Whether the fault `unsupported` concerns operations of that kind ("gemm", "conv") and dtype ("fp16").
bool refused_by_fault(const Machine& machine, const Device& device, const std::string& kind, const std::string& dtype);

}  // namespace gpuassay::fake
