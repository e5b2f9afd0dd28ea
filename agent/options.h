// What the user asked for: the command line as values.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/estimate.h"
#include "core/model.h"
#include "core/requirement.h"

namespace gpuassay {

struct GlobalOptions {
  std::optional<std::filesystem::path> data_dir;
  bool quiet = false;
  bool verbose = false;
};

/// How a collector is reached.
struct NetworkOptions {
  std::optional<std::string> proxy;         ///< URL; may hold a password: not to be shown
  std::optional<std::filesystem::path> ca;  ///< certificate authorities to trust instead of the system's
};

/// How often `--once` measures.
enum class OnceScope { boot, instance };

struct RunOptions {
  Profile profile = Profile::standard;
  std::string device = "auto";
  std::optional<double> max_seconds;
  std::optional<double> soak_s;                   ///< load without a pause on every device, at most
  std::optional<std::string> max_cost_usd;        ///< decimal text
  std::optional<std::string> price_usd_per_hour;  ///< decimal text
  std::optional<std::string> provider, instance_type, region, pricing_model;  ///< what the user says of the platform
  std::optional<std::filesystem::path> out;
  std::optional<std::string> upload_url;
  bool verified = false;  ///< after the upload, work that the collector checks and times
  std::optional<OnceScope> once;
  int repeat = 1;                         ///< runs, one after the other
  std::vector<Requirement> requirements;  ///< what the result must reach
  NetworkOptions network;
  std::optional<std::string> network_target;  ///< URL of a file to download from; nothing is contacted without it
  bool offline = false;
  bool json = false;
};
struct WatchOptions {
  double hours = 24;
  std::string device = "auto";
  std::optional<std::string> max_cost_usd;        ///< decimal text
  std::optional<std::string> price_usd_per_hour;  ///< decimal text
  std::optional<std::string> provider, instance_type, region, pricing_model;
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
struct EstimateOptions {
  std::string gpu;  ///< a name of the table of GPUs, as the user wrote it
  EstimatePrecision precision = EstimatePrecision::best;
  bool json = false;
};
struct CompareOptions {
  std::vector<std::filesystem::path> results;  ///< two or more
  bool json = false;
};
struct SchemaOptions {
  std::string name;
};
struct PriceImportOptions {
  std::string format;
  std::filesystem::path file;
  std::optional<std::string> provider, as_of;
  std::optional<std::filesystem::path> rates;
};
struct PriceMatchOptions {
  std::filesystem::path measurement;
  std::optional<std::filesystem::path> prices, rates;
  std::optional<std::string> provider, as_of;  ///< of the file `prices`
  std::optional<std::string> pricing_model;
  std::optional<std::int64_t> commitment_months;
  std::int64_t max_age_days = 90;
  bool rental_equivalent = false;
  bool gpu_share = false;
  bool json = false;
};
struct PriceListOptions {
  std::optional<std::string> provider, gpu, region;
  std::string pricing_model = "on_demand";
  std::optional<std::int64_t> gpu_count;
  std::optional<std::string> valid_at;  ///< date text; empty = now
  std::int64_t max_age_days = 90;
  std::size_t limit = 50;
  std::vector<std::filesystem::path> measured;
  bool include_stale = false;
  bool json = false;
};
struct UploadOptions {
  std::optional<std::string> collector;
  NetworkOptions network;
  std::optional<std::string> delete_run_id;
  bool replace_key = false;
  bool revoke_key = false;
  bool dry_run = false;
  bool all = false;
};

using Command =
    std::variant<RunOptions, ProbeOptions, DoctorOptions, ShowOptions, ScoreOptions, SchemaOptions, PriceImportOptions,
                 PriceMatchOptions, PriceListOptions, UploadOptions, EstimateOptions, CompareOptions, WatchOptions>;

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
