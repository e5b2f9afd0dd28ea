#include "collector/pool/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/stats.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// The scores of one group, old and new, and the runs that the new ones are of.
struct History {
  std::map<std::string, double> before, now;  ///< by member: of several the newest
  std::vector<std::string> new_runs;
};

/// What a group must have to be looked at, and what is said of it.
struct ShiftRule {
  std::int64_t recent_ms;  ///< from when on a run is new
  std::size_t least;       ///< members on each side
  const char* code;
  const char* what;
};

std::vector<double> scores_of(const std::map<std::string, double>& members) {
  std::vector<double> scores;
  scores.reserve(members.size());
  for (const auto& [member, score] : members) scores.push_back(score);
  return scores;
}

void flag_if_shifted(const History& history, const ShiftRule& rule, std::vector<FoundFlag>& flags) {
  if (history.before.size() < rule.least || history.now.size() < rule.least) return;
  const std::vector<double> before = scores_of(history.before), now = scores_of(history.now);
  if (!has_shifted(before, now)) return;
  constexpr int kDigits = 4;
  const std::string detail =
      fmt::format("{}: score {} where it was {}", rule.what, round_significant(median(now), kDigits),
                  round_significant(median(before), kDigits));
  for (const std::string& run_id : history.new_runs) flags.push_back({run_id, rule.code, detail});
}

/// Reads rows of (group, member, started_at_ms, run_id, score), by group and time, and holds one group at a time.
void flag_shifted(Statement& rows, const ShiftRule& rule, std::vector<FoundFlag>& flags) {
  std::string group;
  History history;
  while (rows.step()) {
    if (std::string next = rows.text(0); next != group) {
      flag_if_shifted(history, rule, flags);
      history = {};
      group = std::move(next);
    }
    const bool is_new = rows.integer(2) >= rule.recent_ms;
    (is_new ? history.now : history.before)[rows.text(1)] = rows.real(4);
    if (is_new) history.new_runs.push_back(rows.text(3));
  }
  flag_if_shifted(history, rule, flags);
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
  constexpr std::int64_t kNewOfGpuDays = 30, kGpuDays = 730, kNewOfProviderDays = 7, kProviderDays = 90;
  constexpr std::size_t kLeastRuns = 3, kLeastMachines = 10;
  std::vector<FoundFlag> flags;
  Statement of_gpus(database, fmt::format("SELECT run_gpu.gpu || ' ' || run.score_version AS history, run.run_id, "
                                          "run.started_at_ms, run.run_id, run.score FROM run_gpu "
                                          "JOIN run ON run.run_id = run_gpu.run_id "
                                          "WHERE run.gpu_count = 1 AND run.started_at_ms >= ? AND {} "
                                          "ORDER BY history, run.started_at_ms",
                                          kCountingRuns));
  of_gpus.bind(1, now_ms - kGpuDays * kMsPerDay);
  flag_shifted(of_gpus, {now_ms - kNewOfGpuDays * kMsPerDay, kLeastRuns, "drift", "this GPU has changed"}, flags);
  Statement of_providers(
      database,
      fmt::format("SELECT run.provider || ' ' || run.gpu_model || ' ' || CAST(run.gpu_count AS TEXT) || ' ' || "
                  "run.score_version AS history, COALESCE(signing_key.machine_key, run.agent_key), run.started_at_ms, "
                  "run.run_id, run.score FROM run LEFT JOIN signing_key ON signing_key.agent_key = run.agent_key "
                  "WHERE run.gpu_model IS NOT NULL AND run.started_at_ms >= ? AND {} "
                  "ORDER BY history, run.started_at_ms",
                  kCountingRuns));
  of_providers.bind(1, now_ms - kProviderDays * kMsPerDay);
  flag_shifted(of_providers,
               {now_ms - kNewOfProviderDays * kMsPerDay, kLeastMachines, "shift",
                "this provider's machines of the model have changed"},
               flags);
  return flags;
}

}  // namespace gpuassay
