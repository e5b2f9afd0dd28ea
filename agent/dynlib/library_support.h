// Which versions of a library have kernels for a GPU, and which driver do they need? One reviewed table; the driver's
// own version says nothing about it. Pure: versions are read elsewhere (library_choice.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/library_version.h"

namespace gpuassay {

enum class LibraryKind { cublas, cublaslt, cudnn, nccl };

/// "cublas", "cublaslt", "cudnn", "nccl": the name in `libraries[]`.
std::string_view name_of(LibraryKind kind);

/// One row: from `first` up to the next row's `first` of the same library, these compute capabilities have kernels.
/// Capabilities are 10 x major + minor.
struct LibrarySupport {
  LibraryKind kind;
  LibraryVersion first;
  int lowest_capability;
  int highest_capability;
  std::string_view source;
};

/// The whole table, in order of library and version.
std::span<const LibrarySupport> library_support_table();

/// What is known about the device and its driver.
struct DeviceNeeds {
  int compute_capability = 0;   ///< 10 x major + minor
  int driver_cuda_version = 0;  ///< of cuDriverGetVersion: 1000 x major + 10 x minor
};

/// A candidate that loaded and told its version.
struct VersionedLibrary {
  LibraryCandidate file;
  LibraryVersion version;
  int cuda_major = 0;  ///< of the CUDA it is built with; 0 = unknown
  bool simulated = false;
};

/// A candidate that is not used, and the one-line reason.
struct RejectedLibrary {
  LibraryCandidate file;
  std::optional<LibraryVersion> version;  ///< empty when it did not load
  std::string reason;
  bool broken = false;  ///< it should work here by its name or the table, but crashed, hung or failed
};

struct LibraryOrder {
  std::vector<VersionedLibrary> usable;  ///< best first
  std::vector<RejectedLibrary> rejected;
};

/// Why this library is not for this device; empty when the table has it. A version older than the table, or of a
/// library it does not have, is not for any device.
std::string why_unsuitable(LibraryKind kind, const VersionedLibrary& library, const DeviceNeeds& device);

/// Sorts out what cannot run on the device and puts the newest version first; equal ones keep the order in which they
/// were found.
LibraryOrder choose(LibraryKind kind, const std::vector<VersionedLibrary>& found, const DeviceNeeds& device);

}  // namespace gpuassay
