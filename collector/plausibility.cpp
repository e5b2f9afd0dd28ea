#include "collector/plausibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "collector/device_limits.h"
#include "collector/host_limits.h"
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

/// Twice the largest that an agent has: bfloat16 convolutions, of which cuDNN may keep partial sums in that type.
constexpr double kMostTolerance = 0x1p-5;

/// Transfers and arithmetic alone have an output to check too; a launch has none.
void check_verification(const Measurement& m, Reasons& reasons) {
  if (m.status != CaseStatus::ok || m.workload == Workload::latency) return;
  if (!m.verification || !m.verification->passed || m.verification->positions < 1 ||
      m.verification->max_error > m.verification->tolerance || !(m.verification->tolerance <= kMostTolerance))
    reasons.push_back(fmt::format("unverified: {} is ok, but its output was not found right", m.id));
}

void check_operations(const Result& result, Reasons& reasons) {
  std::set<std::tuple<std::optional<int>, std::string, Regime>> seen;
  for (const Measurement& m : result.measurements) {
    if (m.id != case_id(m.params) || m.workload != workload_of(m.params))
      reasons.push_back(fmt::format("operation_differs: {} is not what its parameters say", m.id));
    if (!seen.emplace(m.device, m.id, m.regime).second)
      reasons.push_back(fmt::format("operation_differs: {} is there twice for {}", m.id,
                                    m.device ? fmt::format("device {}", *m.device) : "the instance"));
  }
}

/// Each device measures one case at a time, and so does the instance as a whole.
void check_time(const Result& result, Reasons& reasons) {
  constexpr double kSlackS = 2;
  constexpr double kNsPerS = 1e9;
  std::set<std::optional<int>> places{std::nullopt};  // that is the instance as a whole
  for (const Device& device : result.devices) places.insert(device.index);
  for (const std::optional<int>& place : places) {
    double under_load_s = 0;
    for (const Measurement& m : result.measurements) {
      if (m.device != place) continue;
      double samples_s = 0;
      for (const double sample_ns : m.samples_ns) samples_s += sample_ns / kNsPerS;
      // A sample is of one operation, so that all of them cannot take longer than measuring did.
      under_load_s += std::max(samples_s, m.seconds_under_load.value_or(0));
      if (m.seconds_under_load && samples_s > *m.seconds_under_load * (1 + kRounding) + kRounding)
        reasons.push_back(fmt::format("time_differs: the samples of {} are longer than it was measured", m.id));
    }
    if (under_load_s > result.duration_s + kSlackS)
      reasons.push_back(fmt::format("time_differs: {} was under load for {:.0f} s of a run of {:.0f} s",
                                    place ? fmt::format("device {}", *place) : "the instance", under_load_s,
                                    result.duration_s));
  }
}

/// When and how it ended, as far as both are said. Durations are of a clock that is never set, instants are not: an
/// agent that sees the difference says so in a verdict, from a difference of 2 s on.
void check_end(const Result& result, std::int64_t started_ms, std::int64_t latest_ms, Reasons& reasons) {
  constexpr double kLongestRunS = 1e6;  // as in the agent's journal: eleven days
  constexpr double kSlackMs = 60'000;
  constexpr double kMsPerS = 1'000;
  if (!(result.duration_s >= 0 && result.duration_s <= kLongestRunS)) {
    reasons.push_back(fmt::format("time_differs: a run of {:.6g} s", result.duration_s));
    return;
  }
  if (result.finished_at.empty()) return;
  const std::int64_t finished_ms = parse_rfc3339_ms(result.finished_at);
  if (finished_ms > latest_ms) reasons.emplace_back("clock_differs: the run ended after it was received");
  const bool clock_was_set = std::any_of(result.verdicts.begin(), result.verdicts.end(),
                                         [](const Verdict& verdict) { return verdict.code == "clock_jumped"; });
  const double by_wall_ms = static_cast<double>(finished_ms - started_ms);
  if (!clock_was_set && std::abs(by_wall_ms - result.duration_s * kMsPerS) > kSlackMs)
    reasons.emplace_back("time_differs: the run ended at another time than its beginning and duration say");
}

void check_clock(const Result& result, std::int64_t now_ms, Reasons& reasons) {
  constexpr std::int64_t kAheadMs = 600'000;  // clocks of instances are set within minutes
  const std::int64_t started_ms = parse_rfc3339_ms(result.started_at);
  if (started_ms > now_ms + kAheadMs) reasons.emplace_back("clock_differs: the run began after it was received");
  if (started_ms < kFirstReleaseMs) reasons.emplace_back("clock_differs: the run began before there was this program");
  check_end(result, started_ms, now_ms + kAheadMs, reasons);
}

/// `what` must be from 0 to `most`; unknown is fine.
template <class Number>
void check_size(const char* what, const std::optional<Number>& value, double most, Reasons& reasons) {
  if (value && !(static_cast<double>(*value) >= 0 && static_cast<double>(*value) <= most))
    reasons.push_back(fmt::format("beyond_physics: {} of {}", what, *value));
}

/// Each an order of magnitude and more above what was ever sold.
void check_sizes(const Result& result, Reasons& reasons) {
  constexpr double kMostCpus = 100'000;
  constexpr double kMostBytes = 0x1p50;        // 1 PiB
  constexpr double kMostUptimeS = 30 * 3.2e7;  // thirty years
  constexpr double kMostWatts = 20'000;
  constexpr double kMostMhz = 100'000;  // of memory clocks: GDDR7 says 14,000
  check_size("a number of logical CPUs", result.host.logical_cpus, kMostCpus, reasons);
  check_size("a number of usable CPUs", result.host.effective_cpus, kMostCpus, reasons);
  check_size("a host memory in bytes", result.host.memory_bytes, kMostBytes, reasons);
  check_size("a time since boot in seconds", result.boot_to_start_s, kMostUptimeS, reasons);
  for (const Device& device : result.devices) {
    check_size("a device memory in bytes", device.memory_bytes, kMostBytes, reasons);
    if (!device.limits) continue;
    check_size("a power limit in watts", device.limits->power_limit_w, kMostWatts, reasons);
    check_size("a default power limit in watts", device.limits->default_power_limit_w, kMostWatts, reasons);
    check_size("a highest SM clock in MHz", device.limits->max_sm_clock_mhz, kMostMhz, reasons);
    check_size("a highest memory clock in MHz", device.limits->max_memory_clock_mhz, kMostMhz, reasons);
  }
}

void check_measurements(const Result& result, const Recomputed& recomputed, Reasons& reasons) {
  std::map<int, std::pair<const Device*, CardLimits>> cards;
  for (const Device& device : result.devices) cards.try_emplace(device.index, &device, card_limits(device));
  for (std::size_t at = 0; at < result.measurements.size(); ++at) {
    const Measurement& m = recomputed.measurements[at];
    check_figures(result.measurements[at], m, reasons);
    check_verification(m, reasons);
    check_host(m, reasons);
    if (!m.device) continue;  // of the instance as a whole: no card bounds it
    const auto card = cards.find(*m.device);
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
  check_sizes(result, reasons);
  for (const Device& device : result.devices) check_device(device, reasons);
  check_measurements(result, recomputed, reasons);
  if (reasons.size() > kMostReasons) reasons.resize(kMostReasons);
  return reasons;
}

bool is_reason_of_document(std::string_view reason) {
  // All that any version gave: one that is given no more stays in this list, as stored runs may have it.
  constexpr std::array<std::string_view, 9> kCodes{"above_peak",     "beyond_physics", "clock_differs",
                                                   "device_differs", "figures_differ", "operation_differs",
                                                   "score_differs",  "time_differs",   "unverified"};
  const std::string_view code = reason.substr(0, reason.find(": "));
  return code.size() < reason.size() && std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

}  // namespace gpuassay
