// What the program takes from its surroundings, gathered once in main and passed as an argument.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "agent/options.h"
#include "agent/platform/evidence.h"
#include "agent/platform/metadata_map.h"
#include "agent/progress.h"
#include "agent/text_style.h"
#include "core/model.h"

namespace gpuassay {

struct Environment {
  std::filesystem::path data_dir;
  std::filesystem::path system_root = "/";  ///< GPUASSAY_SYSROOT
  MetadataMap metadata_map;                 ///< GPUASSAY_METADATA_MAP
  PlatformVariables platform_variables;     ///< what tells something about the platform, and nothing else
  std::optional<Trigger> trigger;           ///< GPUASSAY_TRIGGER: why this run was started
  std::optional<std::string> collector;     ///< GPUASSAY_COLLECTOR: the collector to ask about, not yet checked
  TextStyle out_style, err_style;
  Verbosity verbosity = Verbosity::normal;
  std::string invocation = "gpuassay";  ///< how the user called us, for commands shown to be typed next

  /// A run that reads recorded system files, or asks another's metadata, is no measurement of a real machine.
  [[nodiscard]] bool simulated() const { return system_root != "/" || !metadata_map.empty(); }
};

/// Reads the environment variables of the contract. Throws Error{usage} for one that cannot be understood.
Environment read_environment(const GlobalOptions& global, const std::string& program);

/// Seconds on a clock that only moves forward.
double monotonic_s();
/// Milliseconds since 1970 UTC.
std::int64_t unix_ms();

/// Writes `text` to stdout; false when it did not get there. That is no reason to fail by itself: a saved run is
/// unaffected by a reader that went away.
bool print_out(const std::string& text);

}  // namespace gpuassay
