#include "agent/assemble.h"

#include <algorithm>

#include "agent/verdicts.h"
#include "core/build_info.h"
#include "core/enums.h"
#include "core/fits.h"
#include "core/money.h"
#include "core/normalize.h"
#include "core/score.h"
#include "core/stats.h"
#include "core/unit_costs.h"
#include "core/unit_energies.h"

namespace gpuassay {
namespace {

constexpr int kDurationDigits = 6;

void add_unknown(Result& result, const char* path, const std::string& reason) {
  result.unknown.push_back({path, reason});
}

/// Nulls that every result has, whatever the machine.
void explain_standing_nulls(Result& result) {
  add_unknown(result, "/reasons", "device is null where the reason concerns the whole run");
  add_unknown(result, "/verdicts", "device is null where the verdict concerns the whole machine");
  add_unknown(result, "/libraries", "rejected_reason is null for a library that was chosen, chosen_for otherwise");
  add_unknown(result, "/measurements",
              "figures are null where the status is not ok (see reason), fraction_of_peak where no theoretical peak "
              "is known, steady_reached for burst figures, algorithm for kernels of our own, readings of telemetry.gpu "
              "where NVML does not tell");
  add_unknown(
      result, "/summary",
      "sustained is null for what was not kept under load, in quick for all; a figure is null when its cases were not "
      "all ok, one of the instance when not every device has it, those of a workload for the reason beside them");
}

/// A link at rest runs at generation 1: what counts is what was seen while something was measured.
void take_links_under_load(Result& result) {
  for (const Measurement& m : result.measurements) {
    const auto device = std::find_if(result.devices.begin(), result.devices.end(),
                                     [&m](const Device& each) { return each.index == m.device; });
    if (device == result.devices.end() || !device->pci || !m.telemetry || !m.telemetry->gpu) continue;
    const auto raise = [](std::optional<int>& known, const std::optional<int>& seen) {
      if (known && seen) known = std::max(*known, *seen);
    };
    raise(device->pci->generation, m.telemetry->gpu->pcie_generation);
    raise(device->pci->width, m.telemetry->gpu->pcie_width);
  }
}

void take_health(const std::map<int, DeviceHealth>& health, std::vector<Device>& devices) {
  for (Device& device : devices) {
    const auto told = health.find(device.index);
    if (told == health.end()) continue;
    const DeviceHealth& h = told->second;
    if (h.ecc_corrected_before || h.ecc_corrected_after || h.ecc_uncorrected_before || h.ecc_uncorrected_after ||
        h.xids)
      device.health = h;
  }
}

/// Clocks of two processes: the cases cannot have taken longer than the run.
std::optional<TimeUse> time_use_of(const RunEnd& end) {
  if (!end.measuring_s || !(end.duration_s > 0)) return std::nullopt;
  constexpr int kDigits = 4;
  const double measuring_s = std::clamp(*end.measuring_s, 0.0, end.duration_s);
  const double preparing_s = std::clamp(end.preparing_s.value_or(0), 0.0, end.duration_s - measuring_s);
  return TimeUse{round_significant(measuring_s, kDigits), round_significant(preparing_s, kDigits),
                 round_significant(1 - measuring_s / end.duration_s, kDigits)};
}

void add_energies(Result& result) {
  result.unit_energies = unit_energies(result.score, result.devices, result.measurements);
  if (!result.unit_energies.empty() && !result.unit_energies.front().joules)
    add_unknown(result, "/unit_energies",
                "the power under sustained load is unknown: NVML does not tell it, or nothing was kept under load "
                "(standard does, or --soak)");
}

bool all_ok_or_skipped(const Result& result) {
  return std::all_of(result.measurements.begin(), result.measurements.end(), [](const Measurement& m) {
    return m.status == CaseStatus::ok || m.status == CaseStatus::skipped;
  });
}

RunStatus status_of(const Result& result) {
  const bool any_ok = std::any_of(result.measurements.begin(), result.measurements.end(),
                                  [](const Measurement& m) { return m.status == CaseStatus::ok; });
  if (!any_ok) return RunStatus::failed;
  return result.reasons.empty() && all_ok_or_skipped(result) ? RunStatus::complete : RunStatus::partial;
}

void apply_price(Result& result) {
  const std::optional<std::string>& price = result.price.price_instance_hour_usd;
  if (price) {
    // Micro-USD per hour times milliseconds over the milliseconds of an hour, in exact integers.
    constexpr std::uint64_t kMsPerHour = 3'600'000;
    const Decimal milliseconds{static_cast<std::uint64_t>(result.duration_s * 1000), 0};
    result.run_cost_usd = format_micros(scaled_micros(parse_decimal(*price), milliseconds, Decimal{kMsPerHour, 0}));
  } else {
    add_unknown(result, "/run_cost_usd", "no price is known; give one with --price USD_PER_HOUR");
  }
  result.unit_costs = unit_costs(result.score, price);
  result.score_per_usd_hour = score_per_usd_hour(result.score, price);
  if (!result.score_per_usd_hour) {
    add_unknown(result, "/score_per_usd_hour",
                price ? "the score is unknown" : "no price is known; give one with --price");
  }
}

}  // namespace

void apply_price_match(Result& begun, const PriceMatch& match, const std::string& explanation) {
  if (begun.price.match_level == "user") return;
  begun.price = match;
  std::erase_if(begun.unknown,
                [](const Unknown& entry) { return entry.path == "/price" || entry.path.starts_with("/price/"); });
  if (match.reason) {
    add_unknown(begun, "/price", explanation);
    return;
  }
  add_unknown(begun, "/price/reason", "a price was found");
  if (!match.fx_date) add_unknown(begun, "/price/fx_date", "a price in US dollars needs no rate of a day");
}

AgentInfo this_agent() {
  const BuildInfo build = build_info();
  return {std::string(build.version), std::string(build.commit), "", std::string(build.build)};
}

Result begin_result(const RunStart& start, const Inventory& inventory) {
  Result result;
  result.run_id = start.run_id;
  result.started_at = start.started_at;
  result.finished_at = start.started_at;
  result.simulated = start.simulated;
  result.trigger = start.trigger;
  result.agent = start.agent;
  result.agent.profile = std::string(to_name(start.profile));
  if (inventory.uptime_s) {
    result.boot_to_start_s = round_significant(*inventory.uptime_s, kDurationDigits);
  }
  result.host = inventory.host;
  result.platform = inventory.platform;
  result.devices = inventory.devices;
  result.links = inventory.links;
  for (Device& device : result.devices) device.simulated = device.simulated || start.simulated;
  result.libraries = inventory.libraries;
  result.unknown = inventory.unknown;
  if (!inventory.uptime_s) add_unknown(result, "/boot_to_start_s", "the system does not tell its uptime");
  result.price.price_instance_hour_usd = start.price_instance_hour_usd;
  if (start.price_instance_hour_usd) {
    result.price.match_level = "user";
    add_unknown(result, "/price", "the user gave the price of the instance; there is no GPU to divide it by");
  } else {
    result.price.reason = "no_price_given";
    add_unknown(result, "/price", "no price was given and none was looked up");
  }
  return result;
}

Result finish_result(Result begun, RunEnd end) {
  Result result = std::move(begun);
  result.finished_at = end.finished_at;
  result.duration_s = round_significant(end.duration_s, kDurationDigits);
  result.time_use = time_use_of(end);
  result.reasons = std::move(end.reasons);
  result.measurements = normalize_all(pool_repeats(std::move(end.raw_measurements)), result.devices);
  take_links_under_load(result);
  take_health(end.health, result.devices);
  result.summary = summarize(result.devices, result.measurements);
  result.score = score_run(result.devices, result.measurements);
  result.fits = fits_of(result.devices);
  for (Unknown& entry : end.unknown) result.unknown.push_back(std::move(entry));
  for (Unknown& entry : unknown_parts(result.score)) result.unknown.push_back(std::move(entry));
  apply_price(result);
  add_energies(result);
  explain_standing_nulls(result);
  result.status = status_of(result);
  result.verdicts = judge(result);
  return result;
}

}  // namespace gpuassay
