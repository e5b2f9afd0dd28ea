// How many uploads or reads does a collector answer, and how long does each take? Latency counts from the instant at
// which a request was due, so that a stalled server cannot hide behind a client that waits for it.
// collector_load post|get HOST:PORT --connections N --seconds S [--rate PER_SECOND] ... : see usage().
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/load_client.h"
#include "bench/signed_upload.h"

namespace {

using namespace gpuassay::bench;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string what, address, path = "/v1/gpus", model, acknowledged;
  std::size_t connections = 32, keys = 2000;
  double seconds = 30, per_second = 0;  // 0: as fast as answers come
};

[[noreturn]] void usage() {
  std::fputs(
      "collector_load post HOST:PORT --model FILE --acknowledged FILE [--keys N] [--connections N] [--seconds S]\n"
      "               [--rate PER_SECOND]\n"
      "collector_load get HOST:PORT --path PATH [--connections N] [--seconds S] [--rate PER_SECOND]\n"
      "Without a rate each connection asks again as soon as it was answered. Prints one JSON document.\n",
      stderr);
  std::exit(2);
}

Options parse(int argc, char** argv) {
  if (argc < 3) usage();
  Options options;
  options.what = argv[1];
  options.address = argv[2];
  for (int at = 3; at + 1 < argc; at += 2) {
    const std::string name = argv[at];
    const std::string value = argv[at + 1];
    if (name == "--model")
      options.model = value;
    else if (name == "--acknowledged")
      options.acknowledged = value;
    else if (name == "--path")
      options.path = value;
    else if (name == "--keys")
      options.keys = std::stoul(value);
    else if (name == "--connections")
      options.connections = std::stoul(value);
    else if (name == "--seconds")
      options.seconds = std::stod(value);
    else if (name == "--rate")
      options.per_second = std::stod(value);
    else
      usage();
  }
  const bool is_post = options.what == "post";
  if (argc % 2 == 0 || (!is_post && options.what != "get") || (is_post && options.model.empty())) usage();
  return options;
}

/// What one connection saw.
struct Seen {
  std::vector<double> latencies_ms;
  std::map<int, std::size_t> statuses;  ///< 0: no answer
  std::vector<std::string> acknowledged;
};

/// All connections together take the instants at which requests are due, one after the other.
class Schedule {
 public:
  explicit Schedule(const Options& options)
      : begin_(Clock::now()),
        end_(begin_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds))),
        step_s_(options.per_second > 0 ? 1 / options.per_second : 0) {}

  /// The number of the next request and when it is due; false after the end.
  bool next(std::size_t& number, Clock::time_point& due) {
    number = taken_.fetch_add(1);
    due = step_s_ > 0 ? begin_ + std::chrono::duration_cast<Clock::duration>(
                                     std::chrono::duration<double>(static_cast<double>(number) * step_s_))
                      : Clock::now();
    return due < end_;
  }
  [[nodiscard]] double elapsed_s() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  const Clock::time_point begin_, end_;
  const double step_s_;
  std::atomic<std::size_t> taken_{0};
};

void send_all(const Options& options, const UploadMaker* uploads, Schedule& schedule, Seen& seen) {
  LoadClient client(options.address);
  const std::string get = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", options.path, options.address);
  std::size_t number = 0;
  Clock::time_point due;
  while (schedule.next(number, due)) {
    const SignedUpload upload = uploads != nullptr ? uploads->make(number, options.address) : SignedUpload{};
    client.connect();  // when the former reply ended the connection
    std::this_thread::sleep_until(due);
    const int status = uploads != nullptr ? client.exchange(upload.pieces()) : client.exchange({get});
    seen.latencies_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - due).count());
    ++seen.statuses[status];
    if (uploads != nullptr && (status == 200 || status == 201)) seen.acknowledged.push_back(upload.run_id);
  }
}

double at_share(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return sorted[at];
}

double own_cpu_s() {
  rusage usage_now{};
  getrusage(RUSAGE_SELF, &usage_now);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage_now.ru_utime) + seconds(usage_now.ru_stime);
}

nlohmann::json summary(const std::vector<Seen>& all, double elapsed_s) {
  std::vector<double> latencies_ms;
  std::map<std::string, std::size_t> statuses;
  std::size_t good = 0;
  for (const Seen& seen : all) {
    latencies_ms.insert(latencies_ms.end(), seen.latencies_ms.begin(), seen.latencies_ms.end());
    for (const auto& [status, count] : seen.statuses) {
      statuses[status == 0 ? "none" : std::to_string(status)] += count;
      if (status == 200 || status == 201) good += count;
    }
  }
  std::sort(latencies_ms.begin(), latencies_ms.end());
  return {{"requests", latencies_ms.size()},
          {"seconds", elapsed_s},
          {"good", good},
          {"good_per_second", static_cast<double>(good) / elapsed_s},
          {"statuses", statuses},
          {"p50_ms", at_share(latencies_ms, 0.5)},
          {"p90_ms", at_share(latencies_ms, 0.9)},
          {"p99_ms", at_share(latencies_ms, 0.99)},
          {"max_ms", at_share(latencies_ms, 1)},
          {"generator_cpu_s", own_cpu_s()}};
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path);
  return text.str();
}

int run(const Options& options) {
  std::optional<UploadMaker> uploads;
  if (options.what == "post") uploads.emplace(content_of(options.model), options.keys);
  std::vector<Seen> seen(options.connections);
  std::vector<std::thread> threads;
  Schedule schedule(options);
  for (Seen& own : seen) threads.emplace_back([&] { send_all(options, uploads ? &*uploads : nullptr, schedule, own); });
  for (std::thread& thread : threads) thread.join();
  std::printf("%s\n", summary(seen, schedule.elapsed_s()).dump().c_str());
  if (options.acknowledged.empty()) return 0;
  std::ofstream file(options.acknowledged);
  for (const Seen& own : seen)
    for (const std::string& run_id : own.acknowledged) file << run_id << '\n';
  return file.flush() ? 0 : 6;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "collector_load: %s\n", error.what());
    return 70;
  }
}
