#include "agent/dynlib/driver_problem.h"

#include <fmt/format.h>

#include "agent/dynlib/cuda_driver.h"

namespace gpuassay {
namespace {

using Outcome = DriverSight::Outcome;

// Ranks: a file that is no driver says least, a driver that looked for devices says most.
enum Rank : int { kNothing = 0, kNoDriver = 1, kBroken = 2, kCompat = 3, kReal = 4 };

DriverProblem compat_problem(const DriverSight& sight) {
  if (sight.init_result == cuda::kNoDevice) {
    return {"compat_unsupported",
            "the forward-compatibility driver (cuda-compat) of this image finds no device it supports (100); "
            "take its folder out of LD_LIBRARY_PATH so that the host's driver is used",
            kCompat};
  }
  return {"compat_unsupported",
          fmt::format("the forward-compatibility driver (cuda-compat) of this image does not support this GPU or this "
                      "kernel driver ({}); take its folder out of LD_LIBRARY_PATH so that the host's driver is used",
                      sight.init_result),
          kCompat};
}

std::string version_text(int cuda_version) {
  return fmt::format("{}.{}", cuda_version / 1000, cuda_version % 1000 / 10);
}

DriverProblem init_problem(const DriverSight& sight) {
  switch (sight.init_result) {
    case cuda::kStubLibrary:
      return {
          "driver_stub",
          "libcuda.so.1 is the toolkit's stub, not a driver (34); take the folder `stubs` out of LD_LIBRARY_PATH and "
          "install the NVIDIA driver",
          kNoDriver};
    case cuda::kNoDevice:
      return {"no_cuda_device",
              "the NVIDIA driver finds no GPU (100); check that the GPU is passed into this machine or container "
              "(docker: --gpus all), that CUDA_VISIBLE_DEVICES is not empty, and what `nvidia-smi` says",
              kReal};
    case cuda::kSystemNotReady:
      return {
          "fabric_not_ready",
          "the NVLink fabric is not set up (802); start the service nvidia-fabricmanager of the driver's own version, "
          "or wait until it is up",
          kReal};
    case cuda::kSystemDriverMismatch:
      return {
          "driver_mismatch",
          "libcuda.so.1 and the kernel's NVIDIA module are of different versions (803); reboot, or reload the module, "
          "after the driver was updated",
          kReal};
    case cuda::kCompatNotSupportedOnDevice: return compat_problem(sight);
    case cuda::kUnknownError:
      return {
          "driver_unknown_error",
          "the NVIDIA driver fails with an unknown error (999); reload the module nvidia_uvm or reboot, and see the "
          "kernel log for NVRM and Xid lines",
          kReal};
    default:
      return {
          "driver_failed",
          fmt::format("the NVIDIA driver does not start: cuInit returned {}; see `nvidia-smi` and the kernel log for "
                      "NVRM and Xid lines",
                      sight.init_result),
          kReal};
  }
}

bool is_compat_refusal(const DriverSight& sight) {
  return sight.compat && (sight.init_result == cuda::kNoDevice || sight.init_result == cuda::kSystemDriverMismatch ||
                          sight.init_result == cuda::kCompatNotSupportedOnDevice);
}

/// The driver started; is it one that gpuassay can use?
std::optional<DriverProblem> answer_problem(const DriverSight& sight) {
  // A stub has no version of its own; any other driver is first asked whether it is new enough to be asked more.
  const bool stub = sight.init_result == cuda::kStubLibrary;
  if (!stub && sight.cuda_version > 0 && sight.cuda_version < kOldestCudaVersion) {
    return DriverProblem{"driver_too_old",
                         fmt::format("the NVIDIA driver speaks CUDA {}, gpuassay needs 11.0 or later; install driver "
                                     "450.80 or later (for a Kepler GPU the branch 470)",
                                     version_text(sight.cuda_version)),
                         kReal};
  }
  if (is_compat_refusal(sight)) return compat_problem(sight);
  if (sight.init_result != cuda::kSuccess) return init_problem(sight);
  if (sight.device_count > 0) return std::nullopt;
  DriverSight no_device = sight;
  no_device.init_result = cuda::kNoDevice;
  return init_problem(no_device);
}

}  // namespace

std::optional<DriverProblem> problem_of(const DriverSight& sight) {
  switch (sight.outcome) {
    case Outcome::absent:
      return DriverProblem{
          "driver_missing",
          "libcuda.so.1 is not installed; install the NVIDIA driver, and in a container run it with the "
          "NVIDIA container toolkit (docker: --gpus all)",
          kNothing};
    case Outcome::does_not_load:
      return DriverProblem{"driver_not_loadable",
                           fmt::format("libcuda.so.1 cannot be used: {}; reinstall the NVIDIA driver", sight.detail),
                           kBroken};
    case Outcome::crashed:
      return DriverProblem{"driver_crashed",
                           fmt::format("starting the NVIDIA driver crashed ({}); see the kernel log for NVRM and Xid "
                                       "lines, reinstall the driver or reboot",
                                       sight.detail),
                           kReal};
    case Outcome::hung:
      return DriverProblem{
          "driver_hung",
          fmt::format("starting the NVIDIA driver {}; see the kernel log for NVRM and Xid lines, reboot "
                      "if a GPU is lost",
                      sight.detail),
          kReal};
    case Outcome::answered: break;
  }
  return answer_problem(sight);
}

}  // namespace gpuassay
