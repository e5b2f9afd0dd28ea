#include "collector/pool/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "core/stats.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// The scores of one group, old and new, and the runs that the new ones are of.
struct History {
  std::vector<double> before, now;
  std::vector<std::string> new_runs;
};

/// Reads rows of (group, member, started_at_ms, run_id, score); of several rows of one member on one side the last one
/// counts. `recent_ms`: from when on a run is new.
std::map<std::string, History> histories(Statement& rows, std::int64_t recent_ms) {
  std::map<std::string, std::map<std::pair<std::string, bool>, double>> scores;
  std::map<std::string, History> histories;
  while (rows.step()) {
    const std::string group = rows.text(0);
    const bool is_new = rows.integer(2) >= recent_ms;
    scores[group][{rows.text(1), is_new}] = rows.real(4);
    if (is_new) histories[group].new_runs.push_back(rows.text(3));
  }
  for (const auto& [group, members] : scores)
    for (const auto& [member, score] : members)
      (member.second ? histories[group].now : histories[group].before).push_back(score);
  return histories;
}

void flag_shifted(const std::map<std::string, History>& groups, std::size_t least, const char* code, const char* what,
                  std::vector<FoundFlag>& flags) {
  for (const auto& [group, history] : groups) {
    if (history.before.size() < least || history.now.size() < least || !has_shifted(history.before, history.now))
      continue;
    constexpr int kDigits = 4;
    const std::string detail =
        fmt::format("{}: score {} where it was {}", what, round_significant(median(history.now), kDigits),
                    round_significant(median(history.before), kDigits));
    for (const std::string& run_id : history.new_runs) flags.push_back({run_id, code, detail});
  }
}

constexpr std::string_view kCountingRuns =
    "run.simulated = 0 AND run.quarantine_reason IS NULL AND run.retracted_at_ms IS NULL AND run.score IS NOT NULL";

}  // namespace

bool has_shifted(std::vector<double> before, std::vector<double> now) {
  constexpr double kLeastChange = 0.1, kLow = 0.25, kHigh = 0.75;
  std::sort(before.begin(), before.end());
  std::sort(now.begin(), now.end());
  if (std::abs(median(now) / median(before) - 1) <= kLeastChange) return false;
  return quantile(now, kHigh) < quantile(before, kLow) || quantile(now, kLow) > quantile(before, kHigh);
}

std::vector<FoundFlag> flags_of_changes(Database& database, std::int64_t now_ms) {
  constexpr std::int64_t kNewOfGpuDays = 30, kNewOfProviderDays = 7, kProviderDays = 90;
  constexpr std::size_t kLeastRuns = 3, kLeastMachines = 10;
  std::vector<FoundFlag> flags;
  Statement of_gpus(database, fmt::format("SELECT run_gpu.gpu || ' ' || run.score_version, run.run_id, "
                                          "run.started_at_ms, run.run_id, run.score FROM run_gpu "
                                          "JOIN run ON run.run_id = run_gpu.run_id WHERE run.gpu_count = 1 AND {} "
                                          "ORDER BY run.started_at_ms",
                                          kCountingRuns));
  flag_shifted(histories(of_gpus, now_ms - kNewOfGpuDays * kMsPerDay), kLeastRuns, "drift", "this GPU has changed",
               flags);
  Statement of_providers(
      database,
      fmt::format("SELECT run.provider || ' ' || run.gpu_model || ' ' || CAST(run.gpu_count AS TEXT) || ' ' || "
                  "run.score_version, COALESCE(signing_key.machine_key, run.agent_key), run.started_at_ms, run.run_id, "
                  "run.score FROM run LEFT JOIN signing_key ON signing_key.agent_key = run.agent_key "
                  "WHERE run.gpu_model IS NOT NULL AND run.started_at_ms >= ? AND {} ORDER BY run.started_at_ms",
                  kCountingRuns));
  of_providers.bind(1, now_ms - kProviderDays * kMsPerDay);
  flag_shifted(histories(of_providers, now_ms - kNewOfProviderDays * kMsPerDay), kLeastMachines, "shift",
               "this provider's machines of the model have changed", flags);
  return flags;
}

}  // namespace gpuassay
