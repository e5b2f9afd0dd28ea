#include "core/build_info.h"

#include "build_stamp.h"

namespace gpuassay {

BuildInfo build_info() noexcept {
  return {.version = embedded::kBuildVersion, .commit = embedded::kBuildCommit, .build = embedded::kBuildKind};
}

}  // namespace gpuassay
