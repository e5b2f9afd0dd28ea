// Which package brings a library version that still supports this GPU under this driver? One reviewed table, checked by
// a test against the table of what every version supports (dynlib/library_support.h). Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/dynlib/library_support.h"
#include "agent/dynlib/library_version.h"

namespace gpuassay {

/// A wheel of the Python Package Index that holds a library, with the exact version.
struct Wheel {
  LibraryKind kind;  ///< cublas (its wheel holds cuBLASLt too) or cudnn
  std::string_view package;
  LibraryVersion version;  ///< the library's own
  std::string_view build;  ///< what the wheel's version has behind it: ".21"
  int cuda_major;          ///< of the CUDA it is built with

  /// "nvidia-cudnn-cu12==9.10.2.21"
  [[nodiscard]] std::string requirement() const;
};

/// One row: the wheels for GPUs of these compute capabilities (10 x major + minor) whose driver speaks at least this
/// CUDA (1000 x major + 10 x minor). The first row that fits counts.
struct WheelChoice {
  int lowest_capability, highest_capability;
  int lowest_driver;
  Wheel cublas, cudnn;
  std::string_view why;
};

/// The whole table.
std::span<const WheelChoice> wheel_table();

/// The row for a device; null when no package has kernels for it, or its driver is too old for all that have.
const WheelChoice* wheels_for(const DeviceNeeds& device);

/// "pip install nvidia-cublas-cu12==12.9.1.4" for `kind`; empty when wheels_for names nothing. cuBLASLt comes with
/// cuBLAS. NCCL has no row: nothing is measured with it.
std::string install_command(LibraryKind kind, const DeviceNeeds& device);

}  // namespace gpuassay
