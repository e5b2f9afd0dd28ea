// Is a figure of this machine no longer what it was? From the series of its probes. Pure; docs/WATCH.md states the rule
// and how often it is wrong.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace gpuassay {

/// So many of the first probes are what later ones are compared with, and so many in a row tell a change.
inline constexpr std::size_t kBaselineProbes = 10, kInARow = 6;
/// A probe counts as slow when it is below the baseline by this share of it at least.
inline constexpr double kLeastDrop = 0.10;
/// And the rank-sum test must find the slow ones below the baseline's with this probability of chance at most.
inline constexpr double kSlowP = 0.001;

enum class BaselineSource { earlier_run, first_probes };

/// What probes are compared with; speeds, of which more is better.
struct Baseline {
  BaselineSource source = BaselineSource::first_probes;
  double level = 0;           ///< above zero
  std::vector<double> group;  ///< of which it is the median; not empty
};

/// A figure became slower, or is as fast again.
struct SpeedChange {
  bool slower = false;
  BaselineSource against = BaselineSource::first_probes;
  double level = 0;        ///< of the baseline
  double ratio = 1;        ///< median of the probes in a row over that level
  double p = 1;            ///< of the rank-sum test; 1 where the figure is as fast again
  std::size_t since = 0;   ///< the first probe of them, from 0
  std::size_t probes = 0;  ///< how many in a row
};

/// The probes of one figure, in their order.
class WatchedFigure {
 public:
  /// `earlier`: what an earlier run of the machine measured, if any.
  explicit WatchedFigure(std::optional<Baseline> earlier);

  /// One more probe; `speed` is above zero.
  std::optional<SpeedChange> add(double speed);

  [[nodiscard]] bool is_slower() const { return slower_.has_value(); }
  /// False while there are too few probes to tell anything.
  [[nodiscard]] bool can_tell() const;
  [[nodiscard]] const std::vector<double>& speeds() const { return speeds_; }
  /// What probes are compared with first: the earlier run, else the first probes once there are enough.
  [[nodiscard]] const Baseline* baseline() const;

 private:
  [[nodiscard]] std::optional<SpeedChange> slower_than(const Baseline& baseline) const;
  [[nodiscard]] std::size_t slow_in_a_row(const Baseline& baseline, double drop) const;
  [[nodiscard]] bool is_as_fast_again() const;

  std::optional<Baseline> earlier_, first_;
  std::vector<double> speeds_;
  std::optional<SpeedChange> slower_;
};

/// How much probes differ from one to the next, relative, as a standard deviation: by the upper quartile of the sizes
/// of the logarithms of their ratios, which a single change of the machine and a few disturbed probes leave as it is.
double probe_spread(const std::vector<double>& speeds);

}  // namespace gpuassay
