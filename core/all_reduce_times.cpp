#include "core/all_reduce_times.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "core/stats.h"

namespace gpuassay {
namespace {

using BySize = std::map<std::int64_t, const Measurement*>;

bool is_usable(const Measurement& m, std::int64_t ranks) {
  const auto* collective = std::get_if<CollectiveParams>(&m.params);
  return collective != nullptr && collective->kind == CollectiveKind::all_reduce && collective->ranks == ranks &&
         collective->message_bytes > 0 && m.status == CaseStatus::ok && m.regime == Regime::burst &&
         !m.samples_ns.empty() && std::all_of(m.samples_ns.begin(), m.samples_ns.end(), [](double sample_ns) {
           return std::isfinite(sample_ns) && sample_ns > 0;
         });
}

/// A document may say the same twice: the first counts.
std::map<CollectiveMode, BySize> by_mode(std::int64_t ranks, const std::vector<Measurement>& measurements) {
  std::map<CollectiveMode, BySize> found;
  for (const Measurement& m : measurements) {
    if (!is_usable(m, ranks)) continue;
    const auto& collective = std::get<CollectiveParams>(m.params);
    found[collective.mode].emplace(collective.message_bytes, &m);
  }
  return found;
}

OperationTime time_of(const Measurement& m) {
  constexpr double kLowerQuartile = 0.25, kUpperQuartile = 0.75;
  return {median(m.samples_ns), quantile(m.samples_ns, kLowerQuartile), quantile(m.samples_ns, kUpperQuartile), true};
}

/// `share` of the way from `a` to `b`.
double between(double a, double b, double share) { return a + (b - a) * share; }

}  // namespace

AllReduceTimes::AllReduceTimes(std::int64_t ranks, const std::vector<Measurement>& measurements) {
  auto found = by_mode(ranks, measurements);
  BySize sizes = found[CollectiveMode::bandwidth];
  has_bandwidth_ = !sizes.empty();
  if (!has_bandwidth_) return;
  const std::int64_t smallest = sizes.begin()->first;
  for (const CollectiveMode mode : {CollectiveMode::plain, CollectiveMode::graph}) {
    for (const auto& [message_bytes, measurement] : found[mode]) {
      if (message_bytes < smallest) sizes.emplace(message_bytes, measurement);
    }
  }
  points_.reserve(sizes.size());
  for (const auto& [message_bytes, measurement] : sizes)
    points_.push_back({static_cast<double>(message_bytes), time_of(*measurement)});
}

OperationTime AllReduceTimes::of(std::int64_t message_bytes) const {
  const auto bytes = static_cast<double>(message_bytes);
  const Point& first = points_.front();
  const Point& last = points_.back();
  if (bytes <= first.message_bytes) return first.time;
  if (bytes >= last.message_bytes) {
    const double factor = bytes / last.message_bytes;
    return {factor * last.time.median_ns, factor * last.time.low_ns, factor * last.time.high_ns};
  }
  const auto above =
      std::find_if(points_.begin(), points_.end(), [&](const Point& point) { return point.message_bytes >= bytes; });
  const Point& below = *std::prev(above);
  const double share = (bytes - below.message_bytes) / (above->message_bytes - below.message_bytes);
  return {between(below.time.median_ns, above->time.median_ns, share),
          between(below.time.low_ns, above->time.low_ns, share),
          between(below.time.high_ns, above->time.high_ns, share)};
}

}  // namespace gpuassay
