// What does the collector tell its operator while it runs? Lines on stderr, plain or JSON, without anything a client
// sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace gpuassay {

enum class LogFormat { text, json };

/// The line that says how many lines could not be written.
std::string dropped_lines_text(LogFormat format, std::uint64_t lines, std::int64_t now_ms);

/// One request that was answered. Names and patterns of our own making: no address, no key, no path of a client.
struct RequestRecord {
  std::string_view method;  ///< "POST", "other"
  std::string_view route;   ///< as in the metrics: "/v1/results/{id}", "refused"
  int status = 0;
  std::chrono::nanoseconds took{};
  std::string_view outcome;  ///< of an upload: "created"; else empty
};

/// Writes one line for each event, each as a JSON object with `time`, `level`, `event` and what belongs to the event,
/// or as text for people. Safe to use from any thread as far as `write` is.
class Log {
 public:
  /// `write` receives whole lines without their end; `now_ms` is the wall clock in milliseconds since 1970; `dropped`
  /// says how many lines were not written.
  Log(LogFormat format, bool with_requests, std::function<void(std::string_view)> write,
      std::function<std::int64_t()> now_ms, std::function<std::uint64_t()> dropped = {});

  void started(std::string_view url) const;
  /// Something an operator may have to do something about.
  void problem(std::string_view message) const;
  /// Nothing unless `with_requests`.
  void request(const RequestRecord& record) const;
  void stopped() const;
  [[nodiscard]] std::uint64_t dropped() const { return dropped_ ? dropped_() : 0; }

 private:
  LogFormat format_;
  bool with_requests_;
  std::function<void(std::string_view)> write_;
  std::function<std::int64_t()> now_ms_;
  std::function<std::uint64_t()> dropped_;
};

}  // namespace gpuassay
