// Where on this machine can a run-time library lie? Every place is listed, in the order in which it is preferred;
// docs/LIBRARIES.md has the same list for people. Looks at names only and opens nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/dynlib/shared_library.h"
#include "agent/system_root.h"

namespace gpuassay {

/// One file that may be the library.
struct LibraryCandidate {
  std::string soname;     ///< "libcublas.so.12"
  std::string path;       ///< absolute, as on the machine; the soname alone asks the system's loader
  std::string path_kind;  ///< "override", "system", "cuda", "python", "conda", "torch": all a result says of `path`
  bool compat = false;    ///< of the forward-compatibility package, which not every GPU accepts (driver only)
};

/// The parts of the environment that lead to libraries; each may be empty.
struct LibraryEnvironment {
  std::string virtual_env;   ///< VIRTUAL_ENV
  std::string conda_prefix;  ///< CONDA_PREFIX
  std::string home;          ///< HOME

  static LibraryEnvironment from_process();
};

/// All files named one of `sonames` on the machine, best place first: override directories, the loader's default,
/// then the known folders. Within one place the sonames keep their order. Each real file appears once, nothing below
/// a folder named `stubs` does; `compat` folders are left out unless the soname is the driver's.
/// @param root the file system to look in; the loader's default is asked only when it is the machine itself.
std::vector<LibraryCandidate> find_candidates(const SystemRoot& root, const LibraryEnvironment& environment,
                                              const LibrarySearch& search, const std::vector<std::string>& sonames);

}  // namespace gpuassay
