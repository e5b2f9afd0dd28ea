#include "agent/stopping_rule.h"

#include <cmath>

#include "core/stats.h"

namespace gpuassay {

StoppingRule::StoppingRule(const SamplingLimits& limits) : limits_(limits) {}

std::optional<StopReason> StoppingRule::add(double sample_ns, std::int64_t elapsed_ns) {
  samples_ns_.push_back(sample_ns);
  elapsed_ns_ += elapsed_ns;
  const std::size_t count = samples_ns_.size();
  if (count % kCheckEvery == 0) spread_history_.push_back(relative_half_iqr(samples_ns_));

  if (count < static_cast<std::size_t>(limits_.min_samples)) return std::nullopt;
  if (elapsed_ns_ >= limits_.max_time_ns) return StopReason::time_limit;
  if (elapsed_ns_ < limits_.min_time_ns) return std::nullopt;
  if (relative_half_iqr(samples_ns_) < kTargetSpread) return StopReason::noise_reached;
  if (spread_settled()) return StopReason::noise_stable;
  if (count >= static_cast<std::size_t>(limits_.max_samples)) return StopReason::sample_limit;
  return std::nullopt;
}

bool StoppingRule::spread_settled() const {
  constexpr std::size_t kWindowEntries = kSpreadWindow / kCheckEvery;
  if (samples_ns_.size() % kCheckEvery != 0 || spread_history_.size() <= kWindowEntries) return false;
  const double now = spread_history_.back();
  const double before = spread_history_[spread_history_.size() - 1 - kWindowEntries];
  return std::abs(now - before) < kSpreadOfSpread * now;
}

}  // namespace gpuassay
