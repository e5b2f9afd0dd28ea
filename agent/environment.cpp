#include "agent/environment.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "agent/spool.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {

Environment read_environment(const GlobalOptions& global, const std::string& program) {
  Environment environment;
  environment.invocation = program;
  if (global.data_dir) environment.invocation += " --data-dir " + global.data_dir->string();
  environment.data_dir =
      global.data_dir ? *global.data_dir : default_data_dir(std::getenv("XDG_DATA_HOME"), std::getenv("HOME"));
  if (const char* root = std::getenv("GPUASSAY_SYSROOT"); root != nullptr && root[0] != '\0') {
    environment.system_root = root;
  }
  if (const char* map = std::getenv("GPUASSAY_METADATA_MAP")) environment.metadata_map = parse_metadata_map(map);
  if (const char* trigger = std::getenv("GPUASSAY_TRIGGER"); trigger != nullptr && trigger[0] != '\0') {
    environment.trigger = from_name<Trigger>(trigger);
    if (!environment.trigger)
      throw Error(ErrorCode::usage, "GPUASSAY_TRIGGER must be user, boot, health or scheduled; unset or correct it");
  }
  environment.platform_variables = platform_variables(environ);
  if (const char* collector = std::getenv("GPUASSAY_COLLECTOR"); collector != nullptr && collector[0] != '\0') {
    environment.collector = collector;
  }
  environment.out_style = text_style(stdout, std::getenv("NO_COLOR"), std::getenv("TERM"));
  environment.err_style = text_style(stderr, std::getenv("NO_COLOR"), std::getenv("TERM"));
  if (global.quiet) environment.verbosity = Verbosity::quiet;
  if (global.verbose) environment.verbosity = Verbosity::verbose;
  return environment;
}

double monotonic_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

bool print_out(const std::string& text) {
  const bool written = std::fputs(text.c_str(), stdout) >= 0;
  return std::fflush(stdout) == 0 && written;
}

}  // namespace gpuassay
