#include "collector/plausibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "collector/device_limits.h"
#include "core/normalize.h"
#include "core/operations.h"
#include "core/score.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

using Reasons = std::vector<std::string>;

constexpr double kRounding = 1e-4;  // figures have six digits, and other versions may round otherwise

bool are_equal(std::optional<double> left, std::optional<double> right) {
  if (!left || !right) return left.has_value() == right.has_value();
  return std::abs(*left - *right) <= kRounding * std::max(std::abs(*left), std::abs(*right));
}

void check_figures(const Measurement& said, const Measurement& recomputed, Reasons& reasons) {
  const auto value = [](const Measurement& m) { return m.metric ? std::optional(m.metric->value) : std::nullopt; };
  if (!are_equal(value(said), value(recomputed)) || !are_equal(said.median_ns, recomputed.median_ns))
    reasons.push_back(fmt::format("figures_differ: those of {} do not follow from its samples", said.id));
}

/// Transfers and arithmetic alone have an output to check too; a launch has none.
void check_verification(const Measurement& m, Reasons& reasons) {
  if (m.status != CaseStatus::ok || m.workload == Workload::latency) return;
  if (!m.verification || !m.verification->passed || m.verification->positions < 1 ||
      m.verification->max_error > m.verification->tolerance)
    reasons.push_back(fmt::format("unverified: {} is ok, but its output was not found right", m.id));
}

void check_operations(const Result& result, Reasons& reasons) {
  std::set<std::tuple<int, std::string, Regime>> seen;
  for (const Measurement& m : result.measurements) {
    if (m.id != case_id(m.params) || m.workload != workload_of(m.params))
      reasons.push_back(fmt::format("operation_differs: {} is not what its parameters say", m.id));
    if (!seen.emplace(m.device, m.id, m.regime).second)
      reasons.push_back(fmt::format("operation_differs: {} is there twice for device {}", m.id, m.device));
  }
}

/// Each device measures one case at a time.
void check_time(const Result& result, Reasons& reasons) {
  constexpr double kSlackS = 2;
  constexpr double kNsPerS = 1e9;
  for (const Device& device : result.devices) {
    double under_load_s = 0;
    for (const Measurement& m : result.measurements) {
      if (m.device != device.index) continue;
      double samples_s = 0;
      for (const double sample_ns : m.samples_ns) samples_s += sample_ns / kNsPerS;
      // A sample is of one operation, so that all of them cannot take longer than measuring did.
      under_load_s += std::max(samples_s, m.seconds_under_load.value_or(0));
      if (m.seconds_under_load && samples_s > *m.seconds_under_load * (1 + kRounding) + kRounding)
        reasons.push_back(fmt::format("time_differs: the samples of {} are longer than it was measured", m.id));
    }
    if (under_load_s > result.duration_s + kSlackS)
      reasons.push_back(fmt::format("time_differs: device {} was under load for {:.0f} s of a run of {:.0f} s",
                                    device.index, under_load_s, result.duration_s));
  }
}

void check_clock(const Result& result, std::int64_t now_ms, Reasons& reasons) {
  constexpr std::int64_t kAheadMs = 600'000;  // clocks of instances are set within minutes
  const std::int64_t started_ms = parse_rfc3339_ms(result.started_at);
  if (started_ms > now_ms + kAheadMs) reasons.emplace_back("clock_differs: the run began after it was received");
  if (started_ms < kFirstReleaseMs) reasons.emplace_back("clock_differs: the run began before there was this program");
}

void check_measurements(const Result& result, const Recomputed& recomputed, Reasons& reasons) {
  std::map<int, std::pair<const Device*, CardLimits>> cards;
  for (const Device& device : result.devices) cards.try_emplace(device.index, &device, card_limits(device));
  for (std::size_t at = 0; at < result.measurements.size(); ++at) {
    const Measurement& m = recomputed.measurements[at];
    check_figures(result.measurements[at], m, reasons);
    check_verification(m, reasons);
    const auto card = cards.find(m.device);
    if (card == cards.end()) {
      reasons.push_back(fmt::format("device_differs: {} is of a device that is not there", m.id));
    } else {
      check_physics(m, *card->second.first, card->second.second, reasons);
    }
  }
}

}  // namespace

Recomputed recompute(const Result& result) {
  Recomputed recomputed;
  recomputed.measurements = normalize_all(result.measurements, result.devices);
  recomputed.score = score_run(result.devices, recomputed.measurements);
  return recomputed;
}

std::vector<std::string> implausible_parts(const Result& result, const Recomputed& recomputed, std::int64_t now_ms) {
  Reasons reasons;
  check_clock(result, now_ms, reasons);
  if (result.score.version == recomputed.score.version && !are_equal(result.score.value, recomputed.score.value))
    reasons.emplace_back("score_differs: the score does not follow from the samples");
  check_operations(result, reasons);
  check_time(result, reasons);
  for (const Device& device : result.devices) check_device(device, reasons);
  check_measurements(result, recomputed, reasons);
  if (reasons.size() > kMostReasons) reasons.resize(kMostReasons);
  return reasons;
}

}  // namespace gpuassay
