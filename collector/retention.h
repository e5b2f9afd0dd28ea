// How long does a collector keep what no aggregate counts?
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "collector/store.h"

namespace gpuassay {

/// Days since a run was received; empty: for ever, as all runs that count are kept.
struct RetentionPolicy {
  std::optional<std::int64_t> simulated_days, quarantined_days;
};

/// Takes back what is older than the policy says, in its own thread: at the start and once an hour. What is gone leaves
/// its run_id, as after a deletion by its contributor, so that it does not come again.
class Retention {
 public:
  /// `store` must outlive this; `now_ms` is the wall clock in milliseconds since 1970. `log` receives a line when runs
  /// were taken back, and when that failed: it is tried again an hour later. Both are called by the thread.
  Retention(RunStore& store, RetentionPolicy policy, std::function<std::int64_t()> now_ms,
            std::function<void(std::string_view)> log);
  ~Retention();
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

 private:
  void keep();

  RunStore& store_;
  RetentionPolicy policy_;
  std::function<std::int64_t()> now_ms_;
  std::function<void(std::string_view)> log_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool stopping_ = false;
  std::thread thread_;  // the last member: it uses the others
};

/// One look: how many runs were taken back.
std::size_t apply_retention(RunStore& store, const RetentionPolicy& policy, std::int64_t now_ms);

}  // namespace gpuassay
