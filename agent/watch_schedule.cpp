#include "agent/watch_schedule.h"

#include <algorithm>
#include <cmath>

namespace gpuassay {
namespace {

constexpr double kFirstMeanS = 5, kFirstLongestS = 20;

double exponential(double mean, double uniform) { return -std::log(uniform) * mean; }

}  // namespace

double probing_limit_s(double watch_s, const std::optional<double>& affordable_s) {
  const double wanted_s = affordable_s.value_or(std::max(watch_s * kUsualShare, kLeastProbingS));
  return std::min(wanted_s, watch_s * kMostShare);
}

double first_pause_s(double watch_s, double uniform) {
  return std::min({exponential(kFirstMeanS, uniform), kFirstLongestS, watch_s / 4});
}

std::optional<double> next_pause_s(const WatchLeft& left, double uniform) {
  if (left.probing_s < left.probe_s) return std::nullopt;
  const double probes = left.probing_s / left.probe_s;
  const double mean_s = std::max(left.watch_s - left.probing_s, 0.0) / probes;
  const double pause_s = exponential(mean_s, uniform);
  if (pause_s + left.probe_s > left.watch_s) return std::nullopt;
  return pause_s;
}

}  // namespace gpuassay
