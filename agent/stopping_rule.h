// When has a case been sampled enough? An object that is fed one sample at a time, so that tests can feed it
// literal numbers. The idea is nvbench's (stdrel_criterion); our statistic is half the relative interquartile range.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/model.h"

namespace gpuassay {

class StoppingRule {
 public:
  /// Spread below which more samples would not change the median visibly.
  static constexpr double kTargetSpread = 0.005;
  /// The spread itself counts as settled when its relative change over a window is below this.
  static constexpr double kSpreadOfSpread = 0.05;
  static constexpr std::size_t kSpreadWindow = 64;  ///< samples between the two spreads compared
  static constexpr std::size_t kCheckEvery = 16;    ///< samples between looks at the spread's own change

  explicit StoppingRule(const SamplingLimits& limits);

  /// Takes one sample: `sample_ns` per operation, and `elapsed_ns`, the time the sample took altogether.
  /// Returns the reason to stop, empty to go on. Never stops before min_samples: fewer say nothing
  /// about the spread, and the run's own deadline bounds an operation that is too slow for them. After that max_time
  /// ends the case, as does little or settled spread once min_time has passed.
  std::optional<StopReason> add(double sample_ns, std::int64_t elapsed_ns);

  [[nodiscard]] const std::vector<double>& samples_ns() const { return samples_ns_; }
  [[nodiscard]] std::int64_t elapsed_ns() const { return elapsed_ns_; }

 private:
  [[nodiscard]] bool spread_settled() const;

  SamplingLimits limits_;
  std::vector<double> samples_ns_;
  std::vector<double> spread_history_;  ///< spread after every kCheckEvery samples
  std::int64_t elapsed_ns_ = 0;
};

}  // namespace gpuassay
