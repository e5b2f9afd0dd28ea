#include "agent/commands/repeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/exit_code.h"
#include "agent/report.h"
#include "agent/run_to_run.h"
#include "core/enums.h"
#include "core/error.h"
#include "core/json_or_null.h"
#include "core/money.h"
#include "core/repeatability.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

/// Worst first, as the contract orders them.
constexpr std::array kByGravity{kExitInternal, kExitUsage,       kExitNothingMeasurable, kExitWrongResult,
                                kExitNotSaved, kExitRequirement, kExitPartial,           kExitOk};

int graver(int a, int b) {
  const auto gravity = [](int code) { return std::find(kByGravity.begin(), kByGravity.end(), code); };
  return gravity(a) < gravity(b) ? a : b;
}

RunOptions options_of_each(const RunOptions& options) {
  RunOptions each = options;
  each.json = false;
  if (options.max_cost_usd)
    each.max_cost_usd = format_micros(std::max<std::int64_t>(parse_micros(*options.max_cost_usd) / options.repeat, 1));
  return each;
}

std::vector<HeadlineSeries> series_of(const std::vector<OneRun>& runs) {
  std::vector<const Result*> results;
  results.reserve(runs.size());
  for (const OneRun& run : runs) results.push_back(&*run.result);
  return headline_series(results);
}

std::string text_of(const std::vector<OneRun>& runs, const TextStyle& style) {
  if (runs.size() < 2) return {};
  TextPage page(style);
  page.blank();
  page.prose("runs", fmt::format("{} of this machine; between the fastest and the slowest", runs.size()));
  add_spread(page, "", series_of(runs));
  return page.take();
}

std::string json_of(const std::vector<OneRun>& runs) {
  nlohmann::json list = nlohmann::json::array();
  for (const OneRun& run : runs) {
    nlohmann::json each{{"run_id", run.result->run_id},
                        {"status", to_name(run.result->status)},
                        {"score", or_null(run.result->score.value)},
                        {"exit_code", run.exit_code}};
    if (!run.saved) each["result"] = to_json(*run.result);
    list.push_back(std::move(each));
  }
  return nlohmann::json{{"runs", list}, {"spread", spread_json(series_of(runs))}}.dump() + "\n";
}

/// What ends a single run ends the series, after what was measured before has been told.
OneRun attempt(const MeasureOnce& measure_once, const RunOptions& options, const Environment& environment,
               RunPart part) {
  try {
    return measure_once(options, environment, part);
  } catch (const Error& error) {
    std::fprintf(stderr, "gpuassay: %s\n", printable(error.what()).c_str());
    return {exit_code_for(error)};
  }
}

}  // namespace

int repeat_runs(const RunOptions& options, const Environment& environment, const MeasureOnce& measure_once) {
  const RunOptions each = options_of_each(options);
  std::vector<OneRun> runs;
  int exit_code = kExitOk;
  for (int number = 1; number <= options.repeat; ++number) {
    OneRun run = attempt(measure_once, each, environment, options.json ? RunPart::of_json : RunPart::of_text);
    exit_code = graver(exit_code, run.exit_code);
    const bool last = run.stopped || !run.saved;
    if (run.result) runs.push_back(std::move(run));
    if (last) break;
  }
  print_out(options.json ? json_of(runs) : text_of(runs, environment.out_style));
  return exit_code;
}

}  // namespace gpuassay
