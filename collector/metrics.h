// How is the collector doing? Counters for Prometheus. Names and labels are of our own making: nothing that a client
// sent becomes one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

/// What is not counted here.
struct Gauges {
  std::optional<double> aggregates_age_s = {};  ///< empty: there are none yet
  std::uint64_t dropped_log_lines = 0;
  std::uint64_t verified_attestations = 0, refused_attestations = 0;
};

/// Safe to use from any thread.
class Metrics {
 public:
  /// `route` is the pattern of an address ("/v1/results/{id}"), never the address itself.
  void count_request(std::string_view route, int status, std::chrono::nanoseconds took);
  /// What became of an upload: a name of IngestStatus.
  void count_upload(std::string_view outcome);
  void count_quarantined();

  /// The text format 0.0.4 of Prometheus.
  [[nodiscard]] std::string text(const Gauges& gauges) const;

 private:
  /// Upper bounds in seconds, the last one open.
  static constexpr std::array<double, 8> kBounds{0.001, 0.005, 0.025, 0.1, 0.25, 1, 5, 20};
  struct Durations {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};
    double sum_s = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;
  std::map<std::string, Durations, std::less<>> durations_;
  std::map<std::string, std::uint64_t, std::less<>> uploads_;
  std::uint64_t quarantined_ = 0;
};

}  // namespace gpuassay
