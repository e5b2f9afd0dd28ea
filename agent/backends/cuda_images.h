// Which builds of our kernels are in this program, and in which order should a device try them? The choice is a pure
// function of device, driver and what is embedded, so it can be logged and tested without either.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

enum class ImageKind {
  cubin,  ///< machine code for one architecture
  ptx,    ///< text the driver compiles; ends with a NUL byte
};

/// One embedded build of one module of kernels.
struct CudaImage {
  std::string_view module;  ///< "base", "sm60", ... see kernel_modules()
  ImageKind kind = ImageKind::ptx;
  int architecture = 0;   ///< 10 x major + minor: compute capability it was built for, of PTX the lowest one
  int ptx_isa = 0;        ///< of PTX: 10 x major + minor of its .version; of a cubin 0
  int toolkit_major = 0;  ///< of a cubin: 11 or 13, which differ in ELF version and in the driver they need; of PTX 0
  std::span<const std::byte> packed;  ///< see unpacked()
};

/// What the driver loads: `packed` is its size in eight bytes, least significant first, and the image in zlib's format
/// (cmake/kernel_image.py). Throws Error{internal} when they do not agree.
std::vector<std::byte> unpacked(const CudaImage& image);

/// Every image in this program, in no particular order. Without ptxas at build time there is PTX alone.
std::span<const CudaImage> embedded_images();

/// A module and the compute capabilities (10 x major + minor) whose devices should load it.
struct KernelModule {
  std::string_view name;
  int lowest_capability;
  int highest_capability;
};

/// "base" and "floor" (verified runs) are for every device; the others add compute kernels
/// (agent/workloads/compute_reference.h).
std::span<const KernelModule> kernel_modules();

/// The newest PTX ISA (10 x major + minor) that a driver of this CUDA version (1000 x major + 10 x minor, as
/// cuDriverGetVersion tells it) compiles; 0 below CUDA 9. Source: the PTX ISA's release history.
int newest_ptx_isa(int driver_cuda_version);

/// The images of `module` that the device should run, best first: cubins of its own major version with the highest
/// minor not above its own, those of CUDA 13 only for drivers of CUDA 13; then PTX, newest ISA first, as far as
/// architecture and driver allow. Points into `images`. What a driver really accepts shows when it loads one: walk on
/// while is_image_refusal.
std::vector<const CudaImage*> images_to_try(std::string_view module, int compute_capability, int driver_cuda_version,
                                            std::span<const CudaImage> images);

/// Does this CUresult of cuModuleLoadData mean that the image is not for this device or driver? Invalid image (200), no
/// binary for GPU (209), invalid PTX (218), and the refusals of the JIT compiler: unsupported PTX version (222), JIT
/// compilation disabled (223), compiler library not found (221).
bool is_image_refusal(int cu_result);

/// "sm_80 cubin (CUDA 11)" or "PTX 3.2 (sm_35)", for logs.
std::string describe(const CudaImage& image);

}  // namespace gpuassay
