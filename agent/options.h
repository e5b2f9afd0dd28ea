// What the user asked for: the command line as values.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/model.h"

namespace gpuassay {

struct GlobalOptions {
  std::optional<std::filesystem::path> data_dir;
  bool quiet = false;
  bool verbose = false;
};

struct RunOptions {
  Profile profile = Profile::standard;
  std::string device = "auto";
  std::optional<double> max_seconds;
  std::optional<std::string> max_cost_usd;        ///< decimal text
  std::optional<std::string> price_usd_per_hour;  ///< decimal text
  std::optional<std::filesystem::path> out;
  std::optional<std::string> upload_url;
  bool offline = false;
  bool json = false;
};
struct ProbeOptions {
  bool json = false;
};
struct DoctorOptions {
  bool json = false;
};
struct ShowOptions {
  std::filesystem::path result;
  bool json = false;
};
struct ScoreOptions {
  std::filesystem::path result;
  bool json = false;
  bool explain = false;
};
struct SchemaOptions {
  std::string name;
};
struct PriceImportOptions {
  std::string format;
  std::filesystem::path file;
};
struct UploadOptions {
  std::string collector;
  bool dry_run = false;
};

using Command = std::variant<RunOptions, ProbeOptions, DoctorOptions, ShowOptions, ScoreOptions, SchemaOptions,
                             PriceImportOptions, UploadOptions>;

struct Options {
  GlobalOptions global;
  Command command;
};

/// --help or --version: text for stdout instead of a command.
struct HelpText {
  std::string text;
};

/// Throws Error{usage} with one line that names the argument and what is allowed.
std::variant<Options, HelpText> parse_command_line(int argc, const char* const* argv);

}  // namespace gpuassay
