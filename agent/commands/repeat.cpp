#include "agent/commands/repeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "agent/exit_code.h"
#include "agent/report.h"
#include "agent/run_to_run.h"
#include "core/enums.h"
#include "core/json_or_null.h"
#include "core/money.h"
#include "core/repeatability.h"

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

bool goes_on(const OneRun& run) {
  if (!run.result || !run.saved) return false;
  return std::none_of(run.result->reasons.begin(), run.result->reasons.end(),
                      [](const Reason& reason) { return reason.code == "interrupted"; });
}

std::vector<HeadlineSeries> series_of(const std::vector<Result>& results) {
  std::vector<const Result*> runs;
  runs.reserve(results.size());
  for (const Result& result : results) runs.push_back(&result);
  return headline_series(runs);
}

std::string text_of(const std::vector<Result>& results, const TextStyle& style) {
  TextPage page(style);
  page.blank();
  page.prose("runs", fmt::format("{} of this machine; between the fastest and the slowest", results.size()));
  add_spread(page, "", series_of(results));
  return page.take();
}

std::string json_of(const std::vector<Result>& results) {
  nlohmann::json runs = nlohmann::json::array();
  for (const Result& result : results) {
    runs.push_back(
        {{"run_id", result.run_id}, {"status", to_name(result.status)}, {"score", or_null(result.score.value)}});
  }
  return nlohmann::json{{"runs", runs}, {"spread", spread_json(series_of(results))}}.dump() + "\n";
}

}  // namespace

int repeat_runs(const RunOptions& options, const Environment& environment, const MeasureOnce& measure_once) {
  const RunOptions each = options_of_each(options);
  std::vector<Result> results;
  int exit_code = kExitOk;
  for (int number = 1; number <= options.repeat; ++number) {
    OneRun run = measure_once(each, environment, number == options.repeat && !options.json);
    exit_code = graver(exit_code, run.exit_code);
    const bool more = goes_on(run);
    if (run.result) results.push_back(std::move(*run.result));
    if (!more) break;
  }
  print_out(options.json ? json_of(results) : text_of(results, environment.out_style));
  return exit_code;
}

}  // namespace gpuassay
