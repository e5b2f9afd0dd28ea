// Does the operator have to read this again? A fault that every request meets fills no log.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace gpuassay {

/// Passes a message on at once, and the same one again only after kPauseMs, with how often it came in between. Safe to
/// use from any thread as far as `write` is.
class RepeatedProblems {
 public:
  /// `steady_ms` as gpuassay::steady_ms().
  RepeatedProblems(std::function<void(std::string_view)> write, std::function<std::int64_t()> steady_ms)
      : write_(std::move(write)), steady_ms_(std::move(steady_ms)) {}

  void say(std::string_view message);

  static constexpr std::int64_t kPauseMs = 10'000;
  static constexpr std::size_t kMostKinds = 32;  ///< further ones count as one

 private:
  struct Kind {
    std::int64_t said_ms = 0;
    std::uint64_t unsaid = 0;
  };

  std::function<void(std::string_view)> write_;
  std::function<std::int64_t()> steady_ms_;
  std::mutex mutex_;
  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace gpuassay
