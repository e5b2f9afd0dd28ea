// What does a kernel of kernels/*.cu do to memory, and how long does it take?
#pragma once

#include <string>

#include "tests/support/fake_gpu/machine.h"

namespace gpuassay::fake {

/// One launch.
struct Launch {
  unsigned grid = 0, block = 0;
  const void* arguments = nullptr;  ///< the kernel's struct
  int target = 0;                   ///< 10 x major + minor of the image: mma shapes go by it
};

/// Whether there is a model of the kernel.
bool is_known_kernel(const std::string& name);
/// Threads per block that its launch bounds allow.
unsigned block_limit(const std::string& name);
/// The operation of launching it. Bounds and alignment are checked when it is submitted.
Operation operation_of(Machine& machine, const std::string& name, const Launch& launch);

}  // namespace gpuassay::fake
