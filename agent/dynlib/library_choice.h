// Which copy of a library does this machine's GPU get? All copies are found, each tells its version in a child process,
// the table sorts out, and one tiny operation confirms the best in another child: a crash costs a candidate, not the
// run.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/dynlib/in_child.h"
#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/library_support.h"
#include "core/model.h"

namespace gpuassay {

/// sonames of all versions of a library that gpuassay knows, newest first.
std::vector<std::string> sonames_of(LibraryKind kind);

/// The copies that told their version, and those that did not.
struct LookedAt {
  std::vector<VersionedLibrary> found;
  std::vector<RejectedLibrary> rejected;
};

/// The largest, cuBLASLt with 570 MB, takes 0.6 s from a warm disk; a cold network disk reads 50 MB/s.
inline constexpr std::chrono::seconds kLookLimit{30};

/// Loads each candidate in a child of its own and asks for its version; needs no GPU. One may take half of the time
/// that is left. What does not load is `broken`. Call while there is one thread.
LookedAt look_at(LibraryKind kind, const std::vector<LibraryCandidate>& candidates, const TryLimit& limit);

/// One tiny operation with this copy on the device it is meant for. Empty when its result is right; else why that is
/// undecided: a wrong result, no memory or a device that does not open need not be the library's fault. Runs in a child
/// process; throws, with one line of reason, when the library fails.
using Confirm = std::function<std::string(const VersionedLibrary&)>;

struct LibraryChoice {
  std::optional<VersionedLibrary> chosen;
  std::vector<RejectedLibrary> rejected;  ///< everything else that was found, with the reason
};

/// Tries the usable ones in order, each in a child; the first that passes is chosen. When none passes, the first that
/// is undecided is, for its cases to show what is wrong; one that had less than `limit.each` and did not end in it is
/// undecided too. When the time is over, the next in order is chosen unproven.
LibraryChoice confirm_first(const LibraryOrder& order, const TryLimit& limit, const Confirm& confirm);

/// find_candidates, look_at, choose and confirm_first in one call: everything about one library on this machine.
/// Without `confirm` the best of the table is chosen unproven.
LibraryChoice choose_library(LibraryKind kind, const std::vector<LibraryCandidate>& candidates,
                             const DeviceNeeds& device, const TryLimit& limit, const Confirm& confirm);

/// The copy of cuBLAS among `found` that a cuDNN needs beside it: it opens the cuBLAS of its own CUDA major by soname.
/// One of the same place is preferred, then the newest. Empty when there is none or cuDNN does not tell its CUDA.
std::optional<VersionedLibrary> companion_cublas(const VersionedLibrary& cudnn,
                                                 const std::vector<VersionedLibrary>& found);

/// `libraries[]` entries: the chosen copy with `chosen_for`, then the rejected ones with their reasons; one with
/// path_kind "absent" when nothing was found at all.
std::vector<Library> library_entries(LibraryKind kind, const LibraryChoice& choice, const std::string& chosen_for);

}  // namespace gpuassay
