#include "agent/watch_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "agent/plan_probe.h"
#include "core/enums.h"
#include "core/operations.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

/// Enough of an earlier run's samples for the test.
constexpr std::size_t kMostOfRun = 16;
/// Less is what reading two clocks of the kernel one after the other may show.
constexpr double kStealWorthTelling = 0.02;

std::optional<Baseline> baseline_of(const Measurement* measurement) {
  if (measurement == nullptr || !(measurement->metric->value > 0)) return std::nullopt;
  Baseline baseline{BaselineSource::earlier_run, measurement->metric->value, {}};
  for (const double sample_ns : thin(measurement->samples_ns, kMostOfRun)) {
    if (sample_ns > 0) baseline.group.push_back(metric_of(measurement->params, sample_ns).value);
  }
  if (baseline.group.empty()) return std::nullopt;
  return baseline;
}

void append(std::string& text, const std::string& more) { text += (text.empty() ? "" : "; ") + more; }

/// What the machine said meanwhile, for people.
std::string words_of(const Conditions& during, const std::optional<Conditions>& before) {
  std::string words;
  if (during.sm_clock_mhz) {
    const bool known = before && before->sm_clock_mhz;
    append(words, fmt::format("SM clock {:.0f} MHz{}", *during.sm_clock_mhz,
                              known ? fmt::format(", {:.0f} before", *before->sm_clock_mhz) : ""));
  }
  if (during.event_reasons) {
    append(words, during.event_reasons->empty() ? "NVML names no reason"
                                                : fmt::format("NVML names {}", fmt::join(*during.event_reasons, ", ")));
  }
  if (during.steal_fraction.value_or(0) > kStealWorthTelling) {
    append(words, fmt::format("the hypervisor gave {:.0f} % of the CPU time to others", 100 * *during.steal_fraction));
  }
  return words;
}

/// A probe that was asked to stop says nothing of the device.
bool was_stopped(const Measurement& measurement) {
  return measurement.reason && measurement.reason->starts_with("interrupted");
}

}  // namespace

Conditions conditions_of(const std::vector<const Measurement*>& measurements) {
  constexpr std::array<std::string_view, 2> kAtRest{"gpu_idle", "applications_clocks_setting"};
  Conditions conditions;
  std::vector<double> clocks;
  for (const Measurement* const each : measurements) {
    if (!each->telemetry) continue;
    const Telemetry& said = *each->telemetry;
    if (said.steal_fraction)
      conditions.steal_fraction = std::max(conditions.steal_fraction.value_or(0), *said.steal_fraction);
    if (!said.gpu) continue;
    if (said.gpu->sm_clock_mhz) clocks.push_back(*said.gpu->sm_clock_mhz);
    if (!said.gpu->event_reasons_s) continue;
    if (!conditions.event_reasons) conditions.event_reasons.emplace();
    for (const auto& [reason, seconds] : *said.gpu->event_reasons_s) {
      if (seconds > 0 && std::count(kAtRest.begin(), kAtRest.end(), reason) == 0)
        conditions.event_reasons->insert(reason);
    }
  }
  if (!clocks.empty()) conditions.sm_clock_mhz = median(std::move(clocks));
  return conditions;
}

WatchBook::WatchBook(const std::vector<Case>& choice, const std::vector<Device>& devices, const Result* earlier) {
  for (const Device& device : devices) kinds_[device.index] = device.kind;
  if (earlier != nullptr) earlier_id_ = earlier->run_id;
  for (const Case& planned : choice) {
    const Measurement* const same = earlier == nullptr ? nullptr : same_measurement(*earlier, planned);
    FigureRecord figure{planned, WatchedFigure(baseline_of(same)), {}, {}, {}};
    if (same != nullptr) figure.at_baseline = conditions_of({same});
    figures_.push_back(std::move(figure));
  }
}

std::string WatchBook::name_of(const OperationParams& params, const std::optional<int>& device) const {
  const auto* const gemm = std::get_if<GemmParams>(&params);
  const auto* const bandwidth = std::get_if<BandwidthParams>(&params);
  std::string what = case_id(params);
  if (gemm != nullptr) what = fmt::format("gemm {}", to_name(gemm->dtype));
  if (bandwidth != nullptr) what = std::string(to_name(bandwidth->kernel));
  const auto kind = device ? kinds_.find(*device) : kinds_.end();
  const bool is_gpu = kind != kinds_.end() && kind->second == DeviceKind::cuda;
  return is_gpu ? fmt::format("GPU {} {}", *device, what) : fmt::format("CPU {}", what);
}

std::vector<WatchEvent> WatchBook::take(ProbeRecord probe) {
  probes_.push_back(std::move(probe));
  std::vector<WatchEvent> events;
  take_status(probes_.back(), events);
  for (Measurement& each : probes_.back().measurements) {
    take_figure(each, probes_.back().at, events);
    each.samples_ns.clear();  // they are in the file, and a watch lasts for days
  }
  return events;
}

void WatchBook::take_status(const ProbeRecord& probe, std::vector<WatchEvent>& events) {
  for (const Measurement& each : probe.measurements) {
    if (each.status != CaseStatus::wrong_result) continue;
    events.push_back({"wrong_result", probe.at,
                      fmt::format("{} computed wrong values", name_of(each.params, each.device)), each.device,
                      each.id});
  }
  const auto missing = std::find_if(probe.measurements.begin(), probe.measurements.end(), [](const Measurement& each) {
    return each.status == CaseStatus::failed || (each.status == CaseStatus::skipped && !was_stopped(each));
  });
  if (probe.measurements.empty()) return;
  const std::optional<int> device = probe.measurements.front().device;
  if (missing != probe.measurements.end()) {
    if (!failing_.insert(device).second) return;
    events.push_back({"not_measured", probe.at,
                      fmt::format("{} cannot be measured: {}", name_of(missing->params, device),
                                  missing->reason.value_or("no reason given")),
                      device, missing->id});
  } else if (std::none_of(probe.measurements.begin(), probe.measurements.end(), was_stopped) &&
             failing_.erase(device) > 0) {
    events.push_back({"measured_again", probe.at,
                      fmt::format("{} can be measured again", name_of(probe.measurements.front().params, device)),
                      device});
  }
}

void WatchBook::take_figure(const Measurement& measurement, const std::string& at, std::vector<WatchEvent>& events) {
  if (measurement.status != CaseStatus::ok || !measurement.metric || !(measurement.metric->value > 0)) return;
  const auto figure = std::find_if(figures_.begin(), figures_.end(), [&](const FigureRecord& each) {
    return each.planned.id == measurement.id && each.planned.device == measurement.device;
  });
  if (figure == figures_.end()) return;
  figure->values.push_back(measurement);
  figure->values.back().samples_ns.clear();
  figure->times.push_back(at);
  const std::optional<SpeedChange> change = figure->watched.add(measurement.metric->value);
  if (!change) return;
  figure->was_slower = figure->was_slower || change->slower;
  events.push_back(event_of(*figure, *change));
}

WatchEvent WatchBook::event_of(const FigureRecord& figure, const SpeedChange& change) const {
  const auto from = [&](std::size_t first, std::size_t count) {
    std::vector<const Measurement*> some;
    for (std::size_t i = first; i < first + count; ++i) some.push_back(&figure.values[i]);
    return conditions_of(some);
  };
  const bool with_run = change.against == BaselineSource::earlier_run;
  const std::string& unit = figure.values.back().metric->unit;
  WatchEvent event{change.slower ? "slower" : "as_fast_again",
                   figure.times.back(),
                   "",
                   figure.planned.device,
                   figure.planned.id,
                   change,
                   figure.times[change.since]};
  event.during = from(change.since, change.probes);
  event.before = with_run ? figure.at_baseline : std::optional(from(0, kBaselineProbes));
  event.message =
      fmt::format("{} {} {:.0f} % of what {} ({:.4g} of {:.4g} {}), in {} probes in a row since {}",
                  name_of(figure.planned.params, figure.planned.device), change.slower ? "is down to" : "is back at",
                  100 * change.ratio, with_run ? "the run " + earlier_id_ + " measured" : "the first probes measured",
                  change.ratio * change.level, change.level, unit, change.probes, event.since_at);
  const std::string words = change.slower ? words_of(*event.during, event.before) : "";
  if (!words.empty()) event.message += ": " + words;
  return event;
}

}  // namespace gpuassay
