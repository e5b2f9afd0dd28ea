#include "agent/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "agent/device_choice.h"
#include "agent/price_options.h"
#include "core/build_info.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/money.h"

namespace gpuassay {
namespace {

/// Longest and shortest wall time anyone may ask for.
constexpr double kMinSeconds = 1;
constexpr double kMaxSeconds = 86400;
constexpr double kSecondsPerHour = 3600;
constexpr double kMostHours = 8784;  // a leap year

/// Every two of them are a pair, so there is a most.
constexpr std::size_t kFewestCompared = 2;
constexpr std::size_t kMostCompared = 100;

CLI::Validator seconds_text() {
  return {[](std::string& text) -> std::string {
            double seconds = 0;
            const bool number = CLI::detail::lexical_cast(text, seconds);
            // Written so that NaN fails too.
            if (number && seconds >= kMinSeconds && seconds <= kMaxSeconds) return "";
            return fmt::format("must be {} to {} seconds, not '{}'", kMinSeconds, kMaxSeconds, text);
          },
          "SECONDS"};
}

CLI::Validator hours_text() {
  return {[](std::string& text) -> std::string {
            double hours = 0;
            const bool number = CLI::detail::lexical_cast(text, hours);
            // Written so that NaN fails too.
            if (number && hours * kSecondsPerHour >= kMinSeconds && hours <= kMostHours) return "";
            return fmt::format("must be a number of hours above zero and at most {}, not '{}'", kMostHours, text);
          },
          "HOURS"};
}

/// A validator whose message is ours.
CLI::Validator money_text() {
  return {[](std::string& text) -> std::string {
            try {
              return parse_micros(text) > 0 ? "" : "must be above zero";
            } catch (const Error& error) {
              return error.what();
            }
          },
          "USD"};
}

CLI::Validator device_text() {
  return {[](std::string& text) -> std::string {
            if (parse_device_choice(text)) return "";
            return fmt::format("must be auto, cpu, cuda, or numbers of GPUs such as 0,1, not '{}'", text);
          },
          "DEVICE"};
}

void add_network(CLI::App& command, NetworkOptions& network) {
  command.add_option("--proxy", network.proxy, "URL of the proxy, instead of https_proxy and http_proxy");
  command.add_option("--ca", network.ca, "PEM file of the certificate authorities to trust, instead of SSL_CERT_FILE");
}

using SharedRun = std::shared_ptr<RunOptions>;

void add_what_to_measure(CLI::App& command, const SharedRun& run) {
  command
      .add_option_function<std::string>(
          "--profile", [run](const std::string& name) { run->profile = *from_name<Profile>(name); },
          "quick (at most 20 s), standard (90 s; 150 s on eight GPUs), full (600 s)")
      ->check(CLI::IsMember({"quick", "standard", "full"}))
      ->default_str("standard");
  command.add_option("--device", run->device, "auto, cpu, cuda, or numbers of GPUs such as 0,1")
      ->check(device_text())
      ->capture_default_str();
  command.add_option("--max-seconds", run->max_seconds, "wall-clock limit instead of the profile's")
      ->check(seconds_text());
  command
      .add_option("--soak", run->soak_s,
                  "keep every device under load until its heat has settled, this long at most; prolongs the profile")
      ->check(seconds_text());
  CLI::Option* price = command.add_option("--price", run->price_usd_per_hour, "what the instance costs, USD per hour")
                           ->check(money_text());
  command.add_option("--max-cost", run->max_cost_usd, "stop before the run has cost this much, USD")
      ->check(money_text())
      ->needs(price);
}

/// What the user says of the platform, for a run or a watch.
template <class SharedOptions>
void add_place(CLI::App& command, const SharedOptions& run) {
  command.add_option("--provider", run->provider, "who rents the machine out, such as aws");
  command.add_option("--instance-type", run->instance_type, "the provider's name of the machine type");
  command.add_option("--region", run->region, "the provider's name of the region");
  command.add_option("--pricing-model", run->pricing_model, "how it is paid for")
      ->check(CLI::IsMember({"on_demand", "spot", "preemptible", "reserved", "monthly", "free"}));
}

/// How often it is measured, where the result goes and what it must reach.
void add_outcome(CLI::App& command, const SharedRun& run) {
  CLI::Option* once =
      command
          .add_option_function<std::string>(
              "--once",
              [run](const std::string& scope) { run->once = scope == "boot" ? OnceScope::boot : OnceScope::instance; },
              "unattended: measure once on this boot, or on this instance, and wait 60 s for a late driver")
          ->check(CLI::IsMember({"boot", "instance"}));
  CLI::Option* repeat =
      command.add_option("--repeat", run->repeat, "measure N times, save every run, and show how far apart they are")
          ->check(CLI::Range(2, 100))
          ->type_name("N")
          ->excludes(once);
  command.add_option("--out", run->out, "also write the result to FILE")->excludes(repeat);
  command
      .add_option_function<std::vector<std::string>>(
          "--require",
          [run](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) run->requirements.push_back(parse_requirement(text));
          },
          "end with 7 when a figure is not like this, such as 'fraction_of_expected>=0.9'")
      ->type_name("'PATH>=NUMBER'")
      ->allow_extra_args(false);
  CLI::Option* upload = command.add_option("--upload", run->upload_url,
                                           "contribute the result (CC BY 4.0) to the collector at URL, unasked");
  command
      .add_flag("--verified", run->verified,
                "after the upload, do 8 s of work that the collector checks and times; a GPU in confidential-compute "
                "mode also shows its maker's certificates, which name it")
      ->needs(upload);
  CLI::Option* target =
      command
          .add_option("--network-target", run->network_target,
                      "also measure the network: download from this http(s) URL, 6 s and 1 GiB at most")
          ->type_name("URL");
  add_network(command, run->network);
  command.add_flag("--offline", run->offline, "never use the network")->excludes(upload)->excludes(target);
  command.add_flag("--json", run->json, "print the result document instead of the report");
}

void add_run(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("run", "Measure, verify, score and save");
  const auto run = std::make_shared<RunOptions>();
  add_what_to_measure(*command, run);
  add_place(*command, run);
  add_outcome(*command, run);
  command->footer(
      "At a terminal, with GPUASSAY_COLLECTOR=URL set, it asks after the result whether to contribute it; --upload "
      "does\n"
      "not ask. See docs/UPLOADING.md.\n"
      "Provider, type, region and pricing model are found where the machine tells them; GPUASSAY_PROVIDER, "
      "GPUASSAY_INSTANCE_TYPE,\nGPUASSAY_REGION, GPUASSAY_PRICING_MODEL and /etc/gpuassay/platform say them as well as "
      "the "
      "flags. See docs/PLATFORMS.md.");
  command->final_callback([run, &options] { options.command = *run; });
}

void add_watch(CLI::App& app, Options& options) {
  CLI::App* command =
      app.add_subcommand("watch", "Probe for 2 s at random times, and tell when the machine is no longer as fast");
  const auto watch = std::make_shared<WatchOptions>();
  command->add_option("--hours", watch->hours, "for so long")->check(hours_text())->capture_default_str();
  command->add_option("--device", watch->device, "auto, cpu, cuda, or numbers of GPUs such as 0,1")
      ->check(device_text())
      ->capture_default_str();
  command
      ->add_option("--max-cost", watch->max_cost_usd,
                   "what all probing may cost, USD: its seconds at the price of the machine; else 1 % of the time, but "
                   "40 s")
      ->check(money_text());
  command
      ->add_option("--price", watch->price_usd_per_hour,
                   "what the instance costs, USD per hour; else what gpuassay price knows")
      ->check(money_text());
  add_place(*command, watch);
  command->add_flag("--offline", watch->offline, "never use the network");
  command->add_flag("--json", watch->json, "print one JSON document at the end");
  command->footer(
      "Compares with the newest complete run of this machine in the data directory, or with its first probes. Events "
      "go to "
      "stdout,\nprobes to stderr, both to DATA/watch. Ctrl-C and SIGTERM end it with what there is. See "
      "docs/WATCH.md.");
  command->final_callback([watch, &options] { options.command = *watch; });
}

void add_readers(CLI::App& app, Options& options) {
  CLI::App* probe = app.add_subcommand("probe", "Say what this machine is, without measuring");
  auto probe_options = std::make_shared<ProbeOptions>();
  probe->add_flag("--json", probe_options->json, "exactly what a result would contain");
  probe->footer("Asks the cloud's metadata service, for 6 s at most. See docs/PLATFORMS.md.");
  probe->final_callback([probe_options, &options] { options.command = *probe_options; });

  CLI::App* doctor = app.add_subcommand("doctor", "Say what is missing and the exact command to get it");
  auto doctor_options = std::make_shared<DoctorOptions>();
  doctor->add_flag("--json", doctor_options->json, "the checks as one JSON document");
  doctor->footer("Ends with the exit code that a run would: 0 something can be measured, 3 nothing, 6 not saved.");
  doctor->final_callback([doctor_options, &options] { options.command = *doctor_options; });

  CLI::App* show = app.add_subcommand("show", "Print the report of a saved result");
  auto show_options = std::make_shared<ShowOptions>();
  show->add_option("RESULT", show_options->result, "a result file or its run id")->required();
  show->add_flag("--json", show_options->json, "print the document");
  show->final_callback([show_options, &options] { options.command = *show_options; });

  CLI::App* score = app.add_subcommand("score", "Recompute the score from the raw samples of a result");
  auto score_options = std::make_shared<ScoreOptions>();
  score->add_option("RESULT", score_options->result, "a result file or its run id")->required();
  score->add_flag("--json", score_options->json, "print the score as JSON");
  score->add_flag("--explain", score_options->explain, "show what every operation adds to the predicted time");
  score->final_callback([score_options, &options] { options.command = *score_options; });

  CLI::App* schema = app.add_subcommand("schema", "Print a JSON Schema");
  auto schema_options = std::make_shared<SchemaOptions>();
  schema->add_option("NAME", schema_options->name, "result")->required()->check(CLI::IsMember({"result"}));
  schema->final_callback([schema_options, &options] { options.command = *schema_options; });
}

void add_estimate(CLI::App& app, Options& options) {
  CLI::App* command =
      app.add_subcommand("estimate", "Say what a GPU would do, from its specification; measures nothing");
  auto estimate = std::make_shared<EstimateOptions>();
  command->add_option("GPU_NAME", estimate->gpu, "such as T4, \"Tesla T4\" or A100-SXM4-80GB")->required();
  command
      ->add_option_function<std::string>(
          "--precision",
          [estimate](const std::string& name) { estimate->precision = *from_name<EstimatePrecision>(name); },
          "fp32 (tf32 from compute capability 8.0 on), mixed with 16 bits, or best: the faster of both")
      ->check(CLI::IsMember({"fp32", "mixed", "best"}))
      ->default_str("best");
  command->add_flag("--json", estimate->json, "the estimates as one JSON document");
  command->footer("Names are those of core/data/gpu_specs.csv and of the driver. See docs/ESTIMATE.md.");
  command->final_callback([estimate, &options] { options.command = *estimate; });
}

void add_compare(CLI::App& app, Options& options) {
  CLI::App* command =
      app.add_subcommand("compare", "Say which of several results is faster, and what weights would reverse that");
  auto compare = std::make_shared<CompareOptions>();
  command->add_option("RESULT", compare->results, "result files or run ids, two or more")->required()->expected(-1);
  command->add_flag("--json", compare->json, "the comparison as one JSON document");
  command->footer(
      "By the Assay Index, recomputed from the raw samples of each. It reads files and measures nothing. See "
      "docs/COMPARE.md.");
  command->final_callback([compare, &options] {
    const std::size_t count = compare->results.size();
    if (count < kFewestCompared || count > kMostCompared) {
      throw CLI::ValidationError("RESULT",
                                 fmt::format("name {} to {} results, not {}", kFewestCompared, kMostCompared, count));
    }
    options.command = *compare;
  });
}

void add_upload(CLI::App& app, Options& options) {
  CLI::App* upload = app.add_subcommand("upload", "Send saved results that have no receipt yet; delete one; end a key");
  auto upload_options = std::make_shared<UploadOptions>();
  upload->add_option("--collector", upload_options->collector, "URL of the collector; else GPUASSAY_COLLECTOR");
  CLI::Option* all =
      upload->add_flag("--all", upload_options->all, "also those with a receipt or a refusal; never deleted ones");
  CLI::Option* dry_run =
      upload->add_flag("--dry-run", upload_options->dry_run, "send nothing: print the exact bodies, one a line");
  CLI::Option* remove = upload
                            ->add_option("--delete", upload_options->delete_run_id,
                                         "have this run deleted there, and never send it again")
                            ->type_name("RUN_ID")
                            ->excludes(all)
                            ->excludes(dry_run);
  CLI::Option* replace = upload->add_flag("--replace-key", upload_options->replace_key,
                                          "send nothing: have this machine's key replaced by a new one there");
  CLI::Option* revoke = upload->add_flag("--revoke-key", upload_options->revoke_key,
                                         "send nothing: have this machine's key trusted no more there");
  for (CLI::Option* option : {replace, revoke}) option->excludes(all)->excludes(dry_run)->excludes(remove);
  replace->excludes(revoke);
  add_network(*upload, upload_options->network);
  upload->footer(
      "Sending contributes the measurements under CC BY 4.0. Ends with 6 when something was not sent: without a "
      "network "
      "within 10 s,\nat a busy collector within 10 min. What was not sent waits for the next time.");
  upload->final_callback([upload_options, &options] { options.command = *upload_options; });
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

std::variant<Options, HelpText> parse_command_line(int argc, const char* const* argv) {
  Options options;
  CLI::App app{"Measures GEMM, convolution and memory bandwidth, verifies every output, and scores the machine."};
  app.name("gpuassay");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag(
      "--version", fmt::format("gpuassay {} ({}, {})", build_info().version, build_info().commit, build_info().build));
  app.add_option("--data-dir", options.global.data_dir, "where results are kept");
  CLI::Option* quiet = app.add_flag("--quiet", options.global.quiet, "no progress on stderr");
  app.add_flag("--verbose", options.global.verbose, "every case on stderr")->excludes(quiet);
  app.footer(
      "Exit codes: 0 ok, 2 usage, 3 nothing measurable, 4 partial, 5 wrong results, 6 not saved or not uploaded, "
      "7 a --require not met.");
  add_run(app, options);
  add_watch(app, options);
  add_readers(app, options);
  add_estimate(app, options);
  add_compare(app, options);
  add_price_commands(app, options);
  add_upload(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return HelpText{app.help()};
  } catch (const CLI::CallForAllHelp&) {
    return HelpText{app.help("", CLI::AppFormatMode::All)};
  } catch (const CLI::CallForVersion& version) {
    return HelpText{std::string(version.what()) + "\n"};
  } catch (const CLI::RequiredError& error) {
    // CLI11 asks for a subcommand before it complains about a word that is none.
    const std::vector<std::string> unknown = app.remaining(true);
    throw Error(ErrorCode::usage, unknown.empty()
                                      ? one_line(error.what()) + "; see gpuassay --help"
                                      : "there is no command '" + one_line(unknown.front()) + "'; see gpuassay --help");
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::usage, one_line(error.what()) + "; see gpuassay --help");
  }
  if (options.global.data_dir && options.global.data_dir->empty()) {
    throw Error(ErrorCode::usage, "--data-dir is empty; name a directory");
  }
  return options;
}

}  // namespace gpuassay
