// Would a real driver of this version take this image for this GPU, and which kernels are in it?
#pragma once

#include <string>
#include <vector>

#include "tests/support/fake_gpu/setup.h"

namespace gpuassay::fake {

/// An accepted image.
struct Image {
  bool is_ptx = false;
  int target = 0;   ///< 10 x major + minor of what it was made for
  int ptx_isa = 0;  ///< 10 x major + minor; PTX only
  std::vector<std::string> kernels;
};

/// Reads a cubin (ELF64) or NUL-terminated PTX. Throws Failure with the driver's status: kInvalidImage for what is
/// neither or has an ABI newer than the driver, kNoBinaryForGpu for a cubin of another architecture,
/// kUnsupportedPtxVersion for a newer ISA, kInvalidPtx for a target beyond the GPU or text without a kernel.
Image accept_image(const void* image, const GpuProfile& gpu, const DriverVersion& driver);

}  // namespace gpuassay::fake
