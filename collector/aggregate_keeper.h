// Who keeps the aggregates ready, so that no reader waits for the database?
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "collector/aggregates.h"
#include "collector/connection_pool.h"

namespace gpuassay {

/// When aggregates are made anew. Making them takes at most `busiest` of the time, however many runs there are.
struct KeeperOptions {
  std::chrono::milliseconds shortest_pause{1'000};   ///< between two makings after a change
  std::chrono::milliseconds longest_pause{300'000};  ///< without a known change: other programs write too
  double busiest = 0.05;
};

/// A thread that reads the aggregates when something changed, and the last ones it read. Safe to use from any thread.
class AggregateKeeper {
 public:
  /// `pool` must outlive it. `log` receives one line for each failure; the last aggregates stay then.
  AggregateKeeper(ConnectionPool& pool, std::function<std::int64_t()> now_ms, std::function<void(std::string_view)> log,
                  KeeperOptions options = {});
  ~AggregateKeeper();
  AggregateKeeper(const AggregateKeeper&) = delete;
  AggregateKeeper& operator=(const AggregateKeeper&) = delete;

  /// Null until they were read for the first time.
  [[nodiscard]] std::shared_ptr<const Aggregates> current() const;
  /// Runs were added, quarantined or retracted.
  void note_change();

 private:
  void keep();
  /// False when it failed: then it is tried again after the pause.
  bool read_once();
  bool wait(std::chrono::milliseconds shortest);

  ConnectionPool& pool_;
  std::function<std::int64_t()> now_ms_;
  std::function<void(std::string_view)> log_;
  const KeeperOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  std::shared_ptr<const Aggregates> current_;
  bool changed_ = false, stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace gpuassay
