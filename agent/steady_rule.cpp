#include "agent/steady_rule.h"

#include <algorithm>
#include <cmath>

#include "core/stats.h"

namespace gpuassay {

SteadyRule::SteadyRule(std::int64_t longest_ns, std::int64_t shortest_ns)
    : longest_ns_(longest_ns),
      shortest_ns_(shortest_ns),
      window_ns_(std::max(kShortestWindowNs, longest_ns / kMostWindows)) {}

std::optional<StopReason> SteadyRule::add(double sample_ns, std::int64_t elapsed_ns, const Thermometer& temperature_c) {
  Window& window = windows_.back();
  window.samples_ns.push_back(sample_ns);
  window.elapsed_ns += elapsed_ns;
  elapsed_ns_ += elapsed_ns;
  const bool whole = window.elapsed_ns >= window_ns_;
  if (whole) {
    window.median_ns = median(window.samples_ns);
    window.temperature_c = temperature_c();
    windows_.emplace_back();
    if (settled() && elapsed_ns_ >= shortest_ns_) return StopReason::noise_stable;
  }
  return elapsed_ns_ >= longest_ns_ ? std::optional(StopReason::time_limit) : std::nullopt;
}

bool SteadyRule::settled() const {
  if (windows_.size() <= kAgreeing) return false;
  const Window* const end = &windows_.back();
  const Window* const begin = end - kAgreeing;
  const auto [fastest, slowest] =
      std::minmax_element(begin, end, [](const Window& a, const Window& b) { return a.median_ns < b.median_ns; });
  if (slowest->median_ns > fastest->median_ns * (1 + kSpread)) return false;
  const Window& last = *(end - 1);
  // It heats up, or cools down after a throttle: the difference over the windows, not between neighbours.
  return !begin->temperature_c || !last.temperature_c ||
         std::abs(*last.temperature_c - *begin->temperature_c) <= kTemperatureC;
}

std::vector<double> SteadyRule::last_samples_ns() const {
  const std::size_t whole = windows_.size() - 1;
  if (whole == 0) return windows_.back().samples_ns;
  std::vector<double> samples_ns;
  for (std::size_t i = whole - std::min(whole, kAgreeing); i < whole; ++i)
    samples_ns.insert(samples_ns.end(), windows_[i].samples_ns.begin(), windows_[i].samples_ns.end());
  return samples_ns;
}

}  // namespace gpuassay
