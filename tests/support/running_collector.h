// A real collector on a free port, in a thread of the test.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "collector/serve.h"
#include "tests/support/scratch_root.h"

namespace gpuassay::test {

inline Log silent_log() {
  return {LogFormat::text, false, [](std::string_view) {}, [] { return std::int64_t{0}; }};
}

class RunningCollector {
 public:
  explicit RunningCollector(bool accept_simulated, const ServerLimits& limits = {})
      : RunningCollector(with(accept_simulated, limits)) {}
  /// Its data directory is a scratch folder, whatever `options` says.
  explicit RunningCollector(ServeOptions options)
      : collector_(
            in(folder_, std::move(options)), [this] { return now_ms_++; }, silent_log()),
        thread_([this] { collector_.server().run(); }) {}
  ~RunningCollector() { stop(); }
  RunningCollector(const RunningCollector&) = delete;
  RunningCollector& operator=(const RunningCollector&) = delete;

  void stop() {
    collector_.server().stop();
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::uint16_t port() { return collector_.server().port(); }
  [[nodiscard]] std::string url() { return "http://" + collector_.server().address(); }
  [[nodiscard]] std::string database() const { return folder_.path().string() + "/collector.db"; }

 private:
  static ServeOptions with(bool accept_simulated, const ServerLimits& limits) {
    ServeOptions options;
    options.accept_simulated = accept_simulated;
    options.limits = limits;
    return options;
  }
  static ServeOptions in(const ScratchRoot& folder, ServeOptions options) {
    options.host = "127.0.0.1";
    options.data_dir = folder.path().string();
    return options;
  }

  ScratchRoot folder_;
  std::atomic<std::int64_t> now_ms_{1'800'000'000'000};  // a clock that never stands still, so replies would differ
  Collector collector_;
  std::thread thread_;
};

}  // namespace gpuassay::test
