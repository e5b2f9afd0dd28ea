// Who recomputes what was opened? One thread, so that at most one core is busy with it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

namespace gpuassay {

/// Checks in the order in which they came. Safe to use from any thread; the destructor lets the one that runs end.
class CheckQueue {
 public:
  static constexpr std::size_t kMost = 60;  ///< a minute of work, and as many megabytes

  /// `log` receives one line for each check that failed with an exception; it is called by the thread.
  explicit CheckQueue(std::function<void(std::string_view)> log);
  ~CheckQueue();
  CheckQueue(const CheckQueue&) = delete;
  CheckQueue& operator=(const CheckQueue&) = delete;

  /// False when there are kMost already.
  bool add(std::function<void()> check);

 private:
  void serve();

  std::function<void(std::string_view)> log_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<std::function<void()>> checks_;
  bool stopping_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace gpuassay
