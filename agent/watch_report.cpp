#include "agent/watch_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "agent/text_page.h"
#include "core/enums.h"
#include "core/json_or_null.h"
#include "core/money.h"
#include "core/result_json.h"
#include "core/stats.h"

namespace gpuassay {
namespace {

constexpr double kSecondsPerHour = 3600;
constexpr int kWatchDigits = 6;

double rounded(double value) { return round_significant(value, kWatchDigits); }

std::string_view name_of(BaselineSource source) {
  return source == BaselineSource::earlier_run ? "earlier_run" : "first_probes";
}

nlohmann::json conditions_json(const std::optional<Conditions>& conditions) {
  if (!conditions) return nullptr;
  return {{"sm_clock_mhz", or_null(conditions->sm_clock_mhz)},
          {"event_reasons", or_null(conditions->event_reasons)},
          {"steal_fraction", or_null(conditions->steal_fraction)}};
}

/// Of the last probes over the baseline; empty where either is missing.
std::optional<double> last_ratio(const FigureRecord& figure) {
  const Baseline* const baseline = figure.watched.baseline();
  const std::vector<double>& speeds = figure.watched.speeds();
  if (baseline == nullptr || speeds.empty()) return std::nullopt;
  const auto last = static_cast<std::ptrdiff_t>(std::min(speeds.size(), kInARow));
  return median({speeds.end() - last, speeds.end()}) / baseline->level;
}

std::string state_of(const FigureRecord& figure) {
  if (figure.watched.is_slower()) return "slower";
  if (figure.was_slower) return "was_slower";
  return figure.watched.can_tell() ? "as_fast" : "too_few_probes";
}

nlohmann::json figure_json(const FigureRecord& figure) {
  const Baseline* const baseline = figure.watched.baseline();
  const std::vector<double>& speeds = figure.watched.speeds();
  const std::optional<double> ratio = last_ratio(figure);
  return {{"id", figure.planned.id},
          {"device", or_null(figure.planned.device)},
          {"unit", figure.values.empty() ? nlohmann::json() : nlohmann::json(figure.values.front().metric->unit)},
          {"state", state_of(figure)},
          {"baseline", baseline == nullptr ? nlohmann::json() : nlohmann::json(rounded(baseline->level))},
          {"baseline_source", baseline == nullptr ? nlohmann::json() : nlohmann::json(name_of(baseline->source))},
          {"probes", speeds.size()},
          {"median", speeds.empty() ? nlohmann::json() : nlohmann::json(rounded(median(speeds)))},
          {"last_ratio", ratio ? nlohmann::json(rounded(*ratio)) : nlohmann::json()}};
}

/// Without what only the file has.
nlohmann::json short_probe_json(const ProbeRecord& probe) {
  nlohmann::json figures = nlohmann::json::array();
  for (const Measurement& each : probe.measurements) {
    figures.push_back({{"id", each.id},
                       {"device", or_null(each.device)},
                       {"status", to_name(each.status)},
                       {"value", each.metric ? nlohmann::json(each.metric->value) : nlohmann::json()},
                       {"reason", or_null(each.reason)}});
  }
  return {{"number", probe.number}, {"at", probe.at}, {"took_s", rounded(probe.took_s)}, {"figures", figures}};
}

template <class T, class ToJson>
nlohmann::json list_json(const std::vector<T>& values, const ToJson& each_json) {
  nlohmann::json list = nlohmann::json::array();
  for (const T& each : values) list.push_back(each_json(each));
  return list;
}

std::string verdict_words(const std::string& verdict) {
  if (verdict == "slower") return "SLOWER than it was";
  if (verdict == "was_slower") return "as fast as it was, but it was slower meanwhile";
  if (verdict == "as_fast") return "as fast as it was";
  return "too few probes to tell";
}

std::string duration_text(double seconds) {
  constexpr double kMinute = 60;
  if (seconds < kMinute) return fmt::format("{:.0f} s", seconds);
  if (seconds < kSecondsPerHour) return fmt::format("{:.0f} min", seconds / kMinute);
  return fmt::format("{:.1f} h", seconds / kSecondsPerHour);
}

}  // namespace

std::optional<std::string> probing_cost_usd(const WatchStart& start, double probing_s) {
  if (!start.price_usd_per_hour) return std::nullopt;
  const auto price_micros = static_cast<double>(parse_micros(*start.price_usd_per_hour));
  return format_micros(std::llround(price_micros * probing_s / kSecondsPerHour));
}

std::string watch_verdict(const std::vector<FigureRecord>& figures) {
  for (const std::string state : {"slower", "was_slower", "as_fast"}) {
    if (std::any_of(figures.begin(), figures.end(), [&](const auto& figure) { return state_of(figure) == state; }))
      return state;
  }
  return "too_few_probes";
}

nlohmann::json start_json(const WatchStart& start, const Result& machine) {
  nlohmann::json devices = nlohmann::json::array();
  for (const Device& device : machine.devices) {
    devices.push_back({{"index", device.index},
                       {"kind", to_name(device.kind)},
                       {"name", device.name},
                       {"uuid_hash", or_null(device.uuid_hash)}});
  }
  return {{"watch_id", start.watch_id},
          {"agent_version", machine.agent.version},
          {"simulated", machine.simulated},
          {"started_at", start.started_at},
          {"hours", rounded(start.watch_s / kSecondsPerHour)},
          {"probing_limit_s", rounded(start.probing_limit_s)},
          {"price_instance_hour_usd", or_null(start.price_usd_per_hour)},
          {"earlier_run", or_null(start.earlier_run)},
          {"provider", machine.platform.provider},
          {"instance_type", or_null(machine.platform.instance_type)},
          {"devices", devices}};
}

nlohmann::json probe_json(const ProbeRecord& probe) {
  return {{"number", probe.number},
          {"at", probe.at},
          {"elapsed_s", rounded(probe.elapsed_s)},
          {"took_s", rounded(probe.took_s)},
          {"measurements", list_json(probe.measurements, [](const Measurement& each) { return to_json(each); })},
          {"reasons", list_json(probe.reasons, [](const Reason& each) {
             return nlohmann::json{{"code", each.code}, {"message", each.message}, {"device", or_null(each.device)}};
           })}};
}

nlohmann::json event_json(const WatchEvent& event) {
  nlohmann::json json{{"kind", event.kind},
                      {"at", event.at},
                      {"message", event.message},
                      {"device", or_null(event.device)},
                      {"figure", event.figure.empty() ? nlohmann::json() : nlohmann::json(event.figure)}};
  if (!event.change) return json;
  json["against"] = name_of(event.change->against);
  json["baseline"] = rounded(event.change->level);
  json["ratio"] = rounded(event.change->ratio);
  json["p"] = rounded(event.change->p);
  json["probes"] = event.change->probes;
  json["since"] = event.since_at;
  json["during"] = conditions_json(event.during);
  json["before"] = conditions_json(event.before);
  return json;
}

nlohmann::json watch_json(const WatchStart& start, const Result& machine, const WatchBook& book,
                          const std::vector<WatchEvent>& events, const WatchEnd& end) {
  nlohmann::json document = start_json(start, machine);
  document["ended_at"] = end.ended_at;
  document["ended"] = end.why;
  document["elapsed_s"] = rounded(end.elapsed_s);
  document["probing_s"] = rounded(end.probing_s);
  document["probing_cost_usd"] = or_null(probing_cost_usd(start, end.probing_s));
  document["saved"] = end.saved;
  document["file"] = or_null(end.file);
  document["verdict"] = watch_verdict(book.figures());
  document["figures"] = list_json(book.figures(), figure_json);
  document["events"] = list_json(events, event_json);
  document["probes"] = list_json(book.probes(), short_probe_json);
  return document;
}

std::string probe_line(const ProbeRecord& probe, const WatchBook& book) {
  std::string line = fmt::format("probe {}:", probe.number);
  for (const Measurement& each : probe.measurements) {
    line += fmt::format(" {}", book.name_of(each.params, each.device));
    if (!each.metric) {
      line += fmt::format(" {} ({});", to_name(each.status), each.reason.value_or("no reason"));
      continue;
    }
    line += fmt::format(" {:.3g} {}", each.metric->value, each.metric->unit);
    for (const FigureRecord& figure : book.figures()) {
      const Baseline* const baseline = figure.watched.baseline();
      if (figure.planned.id == each.id && figure.planned.device == each.device && baseline != nullptr)
        line += fmt::format(" ({:.0f} %)", 100 * each.metric->value / baseline->level);
    }
    line += ';';
  }
  if (!probe.measurements.empty()) line.pop_back();
  return line;
}

std::string watch_text(const WatchStart& start, const WatchBook& book, const std::vector<WatchEvent>& events,
                       const WatchEnd& end, const TextStyle& style) {
  TextPage page(style);
  const std::string verdict = watch_verdict(book.figures());
  page.line("watch", {fmt::format("{} probes in {}", book.probes().size(), duration_text(end.elapsed_s)),
                      end.why == "time" ? "" : end.explanation});
  page.prose("verdict", verdict_words(verdict), verdict == "slower" ? TextPage::kYellow : TextPage::kBold);
  for (const FigureRecord& figure : book.figures()) {
    const std::vector<double>& speeds = figure.watched.speeds();
    if (speeds.empty()) continue;
    const std::optional<double> ratio = last_ratio(figure);
    page.line("", {book.name_of(figure.planned.params, figure.planned.device),
                   fmt::format("{:.3g} {}", median(speeds), figure.values.front().metric->unit),
                   ratio ? fmt::format("last {:.0f} %", 100 * *ratio) : "", fmt::format("{} probes", speeds.size())});
  }
  for (const WatchEvent& event : events) page.prose("!", fmt::format("{} {}", event.at, event.message));
  page.prose("against", start.earlier_run ? "the run " + *start.earlier_run
                                          : fmt::format("the first {} probes of each figure", kBaselineProbes));
  const std::optional<std::string> cost = probing_cost_usd(start, end.probing_s);
  page.line("probing", {fmt::format("{:.0f} s of at most {:.0f} s", end.probing_s, start.probing_limit_s),
                        cost ? fmt::format("{} USD", *cost) : ""});
  page.verbatim("saved", end.saved ? end.file.value_or("") : "NOT SAVED");
  return page.take();
}

}  // namespace gpuassay
