#include "agent/dynlib/open_candidate.h"

#include "core/error.h"

namespace gpuassay {

SharedLibrary open_candidate(const LibraryCandidate& candidate) {
  return SharedLibrary::open_file(candidate.path, candidate.soname, candidate.path_kind, Unload::never);
}

std::optional<SharedLibrary> open_beside(const LibraryCandidate& candidate, const std::string& soname,
                                         Visibility visibility) {
  const std::size_t slash = candidate.path.rfind('/');
  const std::string folder = slash == std::string::npos ? std::string() : candidate.path.substr(0, slash + 1);
  try {
    return SharedLibrary::open_file(folder + soname, soname, candidate.path_kind, Unload::never, visibility);
  } catch (const Error&) {
    return std::nullopt;  // what really needs it will say so
  }
}

bool is_simulated(const SharedLibrary& library) { return library.symbol<void*>("gpuassay_simulated").has_value(); }

}  // namespace gpuassay
