// How do log lines reach a reader who may be slow, or gone, without anybody waiting for it?
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace gpuassay {

/// Lines that would have to wait are dropped and counted; once there is room again, one line says how many. Safe to use
/// from any thread.
class LineWriter {
 public:
  /// The line that says how many were dropped.
  using Tell = std::function<std::string(std::uint64_t)>;
  /// `descriptor` stays the caller's. SIGPIPE must be ignored, as a pipe's reader may go.
  LineWriter(int descriptor, Tell tell) : descriptor_(descriptor), tell_(std::move(tell)) {}

  /// `line` without its end. What is longer than kMostBytes is cut.
  void write(std::string_view line);
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  /// A pipe that can be written to takes so much at once (POSIX: PIPE_BUF).
  static constexpr std::size_t kMostBytes = 4096;

 private:
  bool write_now(std::string text) const;

  int descriptor_;
  Tell tell_;
  std::mutex mutex_;
  std::uint64_t untold_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
};

}  // namespace gpuassay
