#include "agent/watch_rule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/repeatability.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

/// How many spreads below the baseline a slow probe is at least. A run is a single measurement, which was perhaps a
/// lucky one; the median of the first probes is not.
constexpr double kSpreadsBelowRun = 5, kSpreadsBelowProbes = 2;
/// A spread that is known from few probes may be larger: it is taken to be by this over their number.
constexpr double kSpreadDoubt = 4;
/// More values make the exact test slow and it no surer.
constexpr std::size_t kMostInTest = 20;

double spreads_below(BaselineSource source) {
  return source == BaselineSource::earlier_run ? kSpreadsBelowRun : kSpreadsBelowProbes;
}

}  // namespace

double probe_spread(const std::vector<double>& speeds) {
  constexpr double kUpperQuartile = 0.75, kOfNormal = 1.1503;  // of the size of what is normally distributed
  if (speeds.size() < 2) return 0;
  std::vector<double> steps;
  steps.reserve(speeds.size() - 1);
  for (std::size_t i = 1; i < speeds.size(); ++i) steps.push_back(std::abs(std::log(speeds[i] / speeds[i - 1])));
  return quantile(std::move(steps), kUpperQuartile) / (kOfNormal * std::numbers::sqrt2);
}

WatchedFigure::WatchedFigure(std::optional<Baseline> earlier) : earlier_(std::move(earlier)) {}

std::optional<SpeedChange> WatchedFigure::add(double speed) {
  speeds_.push_back(speed);
  if (speeds_.size() == kBaselineProbes) first_ = Baseline{BaselineSource::first_probes, median(speeds_), speeds_};
  if (slower_) {
    if (!is_as_fast_again()) return std::nullopt;
    const std::vector<double> last(speeds_.end() - kInARow, speeds_.end());
    const SpeedChange again{false, slower_->against,         slower_->level, median(last) / slower_->level,
                            1,     speeds_.size() - kInARow, kInARow};
    slower_.reset();
    return again;
  }
  for (const std::optional<Baseline>* baseline : {&earlier_, &first_}) {
    if (!slower_ && *baseline) slower_ = slower_than(**baseline);
  }
  return slower_;
}

std::size_t WatchedFigure::slow_in_a_row(const Baseline& baseline, double drop) const {
  const std::size_t first = baseline.source == BaselineSource::first_probes ? kBaselineProbes : 0;
  std::size_t count = 0;
  while (speeds_.size() - count > first && speeds_[speeds_.size() - 1 - count] < baseline.level * (1 - drop)) ++count;
  return count;
}

std::optional<SpeedChange> WatchedFigure::slower_than(const Baseline& baseline) const {
  if (slow_in_a_row(baseline, kLeastDrop) < kInARow) return std::nullopt;
  const double doubt = 1 + kSpreadDoubt / static_cast<double>(speeds_.size());
  const double drop = std::max(kLeastDrop, spreads_below(baseline.source) * doubt * probe_spread(speeds_));
  const std::size_t count = slow_in_a_row(baseline, drop);
  if (count < kInARow) return std::nullopt;
  const auto tested = static_cast<std::ptrdiff_t>(std::min(count, kMostInTest));
  const std::vector<double> last(speeds_.end() - tested, speeds_.end());
  const double p = rank_sum_p(baseline.group, last);
  if (p > kSlowP) return std::nullopt;
  return SpeedChange{true, baseline.source,        baseline.level, median(last) / baseline.level,
                     p,    speeds_.size() - count, count};
}

bool WatchedFigure::is_as_fast_again() const {
  return std::all_of(speeds_.end() - kInARow, speeds_.end(),
                     [&](double speed) { return speed >= slower_->level * (1 - kLeastDrop); });
}

bool WatchedFigure::can_tell() const { return speeds_.size() >= (earlier_ ? kInARow : kBaselineProbes + kInARow); }

const Baseline* WatchedFigure::baseline() const {
  if (earlier_) return &*earlier_;
  return first_ ? &*first_ : nullptr;
}

}  // namespace gpuassay
