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
  std::string path;       ///< absolute, for this process; the soname alone asks the system's loader
  std::string path_kind;  ///< "override", "system", "cuda", "python", "conda", "torch": all a result says of `path`
  bool compat = false;    ///< of the forward-compatibility package, which not every GPU accepts (driver only)
};

/// The parts of the environment that lead to libraries; each may be empty.
struct LibraryEnvironment {
  std::string ld_library_path;  ///< LD_LIBRARY_PATH, colon-separated
  std::string virtual_env;      ///< VIRTUAL_ENV
  std::string conda_prefix;     ///< CONDA_PREFIX
  std::string home;             ///< HOME
  std::string path;             ///< PATH, colon-separated: images often name their Python's folder there alone

  static LibraryEnvironment from_process();
};

/// All files named one of `sonames`, in this order: what the loader would take (LD_LIBRARY_PATH, ldconfig's table), the
/// system's folders, CUDA toolkits, conda, Python packages. Within one place the sonames keep their order. Each real
/// file appears once, nothing below a folder named `stubs` does; files of `compat` folders only for the driver. A
/// soname that is nowhere is left to the loader: the last candidates have the soname alone as their path, unless `root`
/// is not the machine itself. An override directory that has any of them is taken at its word: then nothing else is
/// listed.
/// @param root where all but the override directories are looked up.
std::vector<LibraryCandidate> find_candidates(const SystemRoot& root, const LibraryEnvironment& environment,
                                              const LibrarySearch& search, const std::vector<std::string>& sonames);

}  // namespace gpuassay
