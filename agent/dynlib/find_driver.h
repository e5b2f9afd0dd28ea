// Which libcuda.so.1 of this machine works? Each is started in a child process of its own: a loaded driver cannot be
// exchanged, and one that crashes or hangs must not take the run with it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "agent/dynlib/driver_problem.h"
#include "agent/dynlib/library_candidates.h"

namespace gpuassay {

/// Starting a driver that nothing keeps awake takes several seconds per GPU: 16 K80 dies need about a minute.
inline constexpr std::chrono::seconds kDriverStartLimit{90};

struct DriverSearch {
  /// The first candidate that works.
  std::optional<LibraryCandidate> driver;
  DriverSight sight;  ///< of `driver`; otherwise of the candidate behind `problem`
  /// Why none works; empty when one does.
  std::optional<DriverProblem> problem;
};

/// Looks at one driver in a child process: loads it, asks its version, cuInit, cuDeviceGetCount.
DriverSight look_at_driver(const LibraryCandidate& candidate, std::chrono::milliseconds limit = kDriverStartLimit);

/// Tries the candidates in order, each in a child of its own, until one works. When none does, the problem is that of
/// the candidate that says most about the machine's real driver. A candidate that hung ends the search.
/// @param look how one candidate is looked at; tests give their own.
DriverSearch find_driver(const std::vector<LibraryCandidate>& candidates,
                         const std::function<DriverSight(const LibraryCandidate&)>& look = {});

}  // namespace gpuassay
