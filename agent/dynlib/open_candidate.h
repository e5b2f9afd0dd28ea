// How is a library that was found opened, together with the companions that lie beside it?
#pragma once

#include <optional>
#include <string>

#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/shared_library.h"

namespace gpuassay {

/// Opens the file; it stays mapped for the life of the process, for it may start threads.
/// Throws Error{library_missing}, never naming the path, when it is absent or does not load.
SharedLibrary open_candidate(const LibraryCandidate& candidate);

/// Opens the library `soname` of the candidate's own folder (or the loader's default, when the candidate is that), so
/// that the candidate and those opened later take this copy and no other. Empty when it is absent or does not load.
std::optional<SharedLibrary> open_beside(const LibraryCandidate& candidate, const std::string& soname,
                                         Visibility visibility);

/// Whether the library is a fake one of the tests: it exports the symbol `gpuassay_simulated`.
bool is_simulated(const SharedLibrary& library);

}  // namespace gpuassay
