// A real collector on a free port, in a thread of the test.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "collector/serve.h"
#include "tests/support/scratch_root.h"

namespace gpuassay::test {

class RunningCollector {
 public:
  explicit RunningCollector(bool accept_simulated, const ServerLimits& limits = {})
      : collector_(
            {"127.0.0.1", 0, folder_.path().string(), accept_simulated}, [this] { return now_ms_++; },
            [](std::string_view) {}, limits),
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
  ScratchRoot folder_;
  std::atomic<std::int64_t> now_ms_{1'800'000'000'000};  // a clock that never stands still, so replies would differ
  Collector collector_;
  std::thread thread_;
};

}  // namespace gpuassay::test
