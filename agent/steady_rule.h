// When has a device that works without pause settled? An object that is fed one sample at a time, so that tests can
// feed it literal series. Clocks need no reading for it: a clock that moves moves the time of an operation.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/model.h"

namespace gpuassay {

class SteadyRule {
 public:
  /// Load is looked at in windows of this share of the longest load, and no shorter than kShortestWindowNs.
  static constexpr std::int64_t kMostWindows = 16;
  static constexpr std::int64_t kShortestWindowNs = 1'000'000'000;
  /// So many windows in a row must agree: their median times to kSpread, largest over smallest, and their temperatures,
  /// where they are known, to kTemperatureC.
  static constexpr std::size_t kAgreeing = 3;
  static constexpr double kSpread = 0.01;
  static constexpr double kTemperatureC = 1;

  /// @param longest_ns under load altogether
  /// @param shortest_ns the load goes on at least so long, settled or not: others that work meanwhile count on it
  explicit SteadyRule(std::int64_t longest_ns, std::int64_t shortest_ns = 0);

  /// Takes one sample: `sample_ns` per operation, `elapsed_ns` the time it took altogether. The thermometer is read at
  /// the end of a window. noise_stable once the last windows agree (after the shortest load), time_limit at the end of
  /// the longest, empty to go on.
  using Thermometer = std::function<std::optional<double>()>;
  std::optional<StopReason> add(double sample_ns, std::int64_t elapsed_ns, const Thermometer& temperature_c);

  /// Whether the last windows agree.
  [[nodiscard]] bool settled() const;
  [[nodiscard]] std::int64_t elapsed_ns() const { return elapsed_ns_; }
  /// Of the last kAgreeing whole windows, or of all there are.
  [[nodiscard]] std::vector<double> last_samples_ns() const;

 private:
  struct Window {
    std::vector<double> samples_ns;
    std::int64_t elapsed_ns = 0;
    double median_ns = 0;
    std::optional<double> temperature_c;  ///< at its end
  };

  std::int64_t longest_ns_, shortest_ns_, window_ns_;
  std::int64_t elapsed_ns_ = 0;
  std::vector<Window> windows_{1};  ///< the last one is being filled
};

}  // namespace gpuassay
