// The NVIDIA driver does not work: what is wrong, in one line, and what is the remedy? Pure: what was seen goes in,
// the message comes out.
#pragma once

#include <optional>
#include <string>

#include "agent/dynlib/library_candidates.h"

namespace gpuassay {

/// What looking at one libcuda.so.1 showed.
struct DriverSight {
  enum class Outcome {
    absent,         ///< no such file
    does_not_load,  ///< the loader refuses it, or it lacks a function
    crashed,        ///< it ended the process that looked at it
    hung,           ///< it did not answer in time
    answered,       ///< cuInit returned
  };
  Outcome outcome = Outcome::absent;
  std::string detail;    ///< loader's message, or how the process ended; empty when answered
  int cuda_version = 0;  ///< of cuDriverGetVersion: 1000 x major + 10 x minor; 0 = unknown
  int init_result = 0;   ///< of cuInit, or of cuDeviceGetCount when cuInit succeeded
  int device_count = 0;
  bool compat = false;     ///< from the forward-compatibility package
  bool simulated = false;  ///< exports `gpuassay_simulated`
};

/// Why the driver cannot be used.
struct DriverProblem {
  std::string code;     ///< for `reasons[].code`: "driver_missing", "driver_stub", "no_cuda_device", ...
  std::string message;  ///< one line: what is wrong; remedy
  int rank = 0;         ///< the more a problem says about the machine's real driver, the higher
};

/// CUDA 11.0: the oldest driver whose functions gpuassay calls (release 450).
inline constexpr int kOldestCudaVersion = 11000;

/// The problem behind `sight`; empty when the driver works and has a device.
std::optional<DriverProblem> problem_of(const DriverSight& sight);

}  // namespace gpuassay
