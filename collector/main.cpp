// gpuassay-collector: the shared dataset's server.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <variant>

#include "collector/collector_database.h"
#include "collector/export/data_dictionary.h"
#include "collector/line_writer.h"
#include "collector/options.h"
#include "collector/postgres_url.h"
#include "collector/serve.h"
#include "core/error.h"
#include "core/price_import.h"

namespace {

using namespace gpuassay;

constexpr int kExitUsage = 2;
constexpr int kExitPartial = 4;
constexpr int kExitDiffers = 5;
constexpr int kExitNotSaved = 6;
constexpr int kExitInternal = 70;

void print(std::FILE* stream, std::string_view text) { std::fwrite(text.data(), 1, text.size(), stream); }

void print_problem(std::string_view text) { print(stderr, "gpuassay-collector: " + std::string(text) + "\n"); }

std::int64_t wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// Every connection is a file descriptor, and the usual soft limit is far below the hard one.
void raise_open_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int execute(const ShowText& show) {
  print(stdout, show.text);
  return 0;
}

template <class Options>
DatabaseOptions store_of(const Options& options, bool must_exist = true) {
  return {.data_dir = options.data_dir,
          .url = options.database.url,
          .connections = options.database.connections,
          .must_exist = must_exist};
}

int execute(const ServeOptions& options) {
  raise_open_file_limit();
  (void)std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads any more ends no collector
  LineWriter lines(STDERR_FILENO, [&options](std::uint64_t dropped) {
    return dropped_lines_text(options.log_format, dropped, wall_clock_ms());
  });
  const Log log(
      options.log_format, options.log_requests, [&lines](std::string_view line) { lines.write(line); }, wall_clock_ms,
      [&lines] { return lines.dropped(); });
  Collector collector(options, wall_clock_ms, log);
  collector.server().handle_signals();
  log.started((options.tls ? "https://" : "http://") + collector.server().address());
  collector.server().run();
  log.stopped();
  return 0;
}

int execute(const ImportPricesOptions& options) {
  PriceFileOptions file = options.file;
  file.now_ms = wall_clock_ms();
  const auto pool = open_collector_database(store_of(options, false));
  print(stdout, describe(import_price_file(*pool->take(ConnectionPool::Access::write), file)));
  return 0;
}

int execute(const ExportOptions& options) {
  print(stdout, export_dataset(*open_collector_database(store_of(options)), options, wall_clock_ms()));
  return 0;
}

int execute(const DataDictionaryOptions& /*options*/) {
  print(stdout, data_dictionary());
  return 0;
}

int execute(const RetractOptions& options) {
  const auto pool = open_collector_database(store_of(options));
  RunStore store(*pool);
  print(stdout, retract_runs(store, options, wall_clock_ms()));
  return 0;
}

int execute(const VouchOptions& options) {
  const auto pool = open_collector_database(store_of(options));
  RunStore store(*pool);
  print(stdout, vouch(store, options, wall_clock_ms()));
  return 0;
}

int execute(const VerifyOptions& options) {
  const auto pool = open_collector_database_to_read(store_of(options));
  const VerifyReport report = verify_store(*pool, receipt_keys(options),
                                           [](std::string_view line) { print(stdout, std::string(line) + "\n"); });
  print(stdout, describe(report));
  return report.differing == 0 ? 0 : kExitDiffers;
}

int execute(const VerifyProofsOptions& options) {
  const ProofsReport report =
      verify_proofs(options, [](std::string_view line) { print(stdout, std::string(line) + "\n"); });
  print(stdout, report.problems == 0 ? "verified\n" : std::to_string(report.problems) + " problems\n");
  return report.problems == 0 ? 0 : kExitDiffers;
}

/// How far it is, for somebody who waits: at once, then once a second.
class ProgressLines {
 public:
  explicit ProgressLines(std::size_t total) : total_(total) {}

  void show(const ReassessReport& report) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::seconds(1);
    print(stderr, std::to_string(report.runs) + " of " + std::to_string(total_) + " runs read, " +
                      std::to_string(report.changed) + " changed\n");
  }

 private:
  std::size_t total_;
  std::chrono::steady_clock::time_point next_;
};

int execute(const ReassessOptions& options) {
  DatabaseOptions store = store_of(options);
  store.check_file = true;
  store.lock_time = std::chrono::seconds(60);  // a busy collector's uploads go first
  const auto pool = open_collector_database(store);
  ProgressLines lines(count_runs(*pool));
  const ReassessReport report = reassess_store(
      *pool, [](std::string_view line) { print(stdout, std::string(line) + "\n"); },
      [&lines](const ReassessReport& so_far) { lines.show(so_far); });
  print(stdout, describe(report));
  return report.left == 0 ? 0 : kExitPartial;
}

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
    case ErrorCode::unreadable_input:
    case ErrorCode::network: return kExitUsage;  // only --listen can fail so
    case ErrorCode::library_missing:             // of the database
    case ErrorCode::not_saved:
    case ErrorCode::busy:
    case ErrorCode::database: return kExitNotSaved;
    default: return kExitInternal;
  }
}

}  // namespace

int main(int argc, char** argv) {
  ::umask(077);  // results and key are nobody else's business
  try {
    const CollectorCommand command = parse_collector_options(argc, argv);
    for (int number = 1; number < argc; ++number) blank_password(argv[number]);
    return std::visit([](const auto& options) { return execute(options); }, command);
  } catch (const Error& error) {
    print_problem(error.what());
    return exit_code_of(error.code());
  } catch (const std::exception& error) {
    print_problem(error.what());
    return kExitInternal;
  }
}
