#pragma once
// Which build is this? Version, commit and compiler, for --version, result documents and bug reports.
#include <string_view>

namespace gpuassay {

struct BuildInfo {
  std::string_view version;  // MAJOR.MINOR.PATCH of the CMake project
  std::string_view commit;   // 40 hexadecimal digits, or "unknown" when not built from a git checkout
  std::string_view build;    // build type and compiler, such as "Release Clang 21.1.0"
};

// The views point to static storage.
BuildInfo build_info() noexcept;

}  // namespace gpuassay
