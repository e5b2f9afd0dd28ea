// Who compares runs with one another? A thread, apart from the uploads.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

#include "collector/pool/pool_checks.h"

namespace gpuassay {

/// At the start what a kill left unchecked, then what comes; once a day what has changed.
class PoolKeeper {
 public:
  /// `checks` must outlive this; `now_ms` is the wall clock in milliseconds since 1970. `problem` receives a line when
  /// it failed; it is tried again. Both are called by the thread.
  PoolKeeper(PoolChecks& checks, std::function<std::int64_t()> now_ms, std::function<void(std::string_view)> problem);
  ~PoolKeeper();
  PoolKeeper(const PoolKeeper&) = delete;
  PoolKeeper& operator=(const PoolKeeper&) = delete;

 private:
  void keep();
  void keep_once();

  PoolChecks& checks_;
  std::function<std::int64_t()> now_ms_;
  std::function<void(std::string_view)> problem_;
  std::chrono::steady_clock::time_point next_look_at_changes_{};
  std::mutex mutex_;
  std::condition_variable woken_;
  bool stopping_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace gpuassay
