#include "collector/pool/new_runs.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "collector/pool/sample_pattern.h"
#include "core/error.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

/// Runs of real machines that nobody took back.
constexpr std::string_view kCounting = "other.simulated = 0 AND other.retracted_at_ms IS NULL";

void flag_both(std::vector<FoundFlag>& flags, const std::string& run_id, const std::string& other, const char* code,
               const char* what) {
  flags.push_back({run_id, code, fmt::format("{} {}", what, other)});
  flags.push_back({other, code, fmt::format("{} {}", what, run_id)});
}

/// Runs of one of its GPUs whose time overlaps with its own by more than clocks are apart.
void look_for_overlaps(Database& database, const std::string& run_id, std::vector<FoundFlag>& flags) {
  constexpr std::int64_t kClocksApartMs = 5'000, kMost = 20;
  Statement query(database, fmt::format("SELECT DISTINCT other.run_id FROM run_gpu AS mine "
                                        "JOIN run AS me ON me.run_id = mine.run_id "
                                        "JOIN run_trace AS my_trace ON my_trace.run_id = mine.run_id "
                                        "JOIN run_gpu AS same ON same.gpu = mine.gpu AND same.run_id <> mine.run_id "
                                        "JOIN run AS other ON other.run_id = same.run_id "
                                        "JOIN run_trace AS trace ON trace.run_id = same.run_id "
                                        "WHERE mine.run_id = ?1 AND me.simulated = 0 AND {} "
                                        "AND other.started_at_ms + ?2 < my_trace.finished_at_ms "
                                        "AND me.started_at_ms + ?2 < trace.finished_at_ms LIMIT ?3",
                                        kCounting));
  query.bind(1, run_id).bind(2, kClocksApartMs).bind(3, kMost);
  while (query.step())
    flag_both(flags, run_id, query.text(0), "two_rentals", "one of its GPUs was measured at the same time in");
}

/// When this run's instance first had one of its GPUs; empty without an instance.
std::optional<std::int64_t> first_in_instance_ms(Database& database, const std::string& run_id) {
  Statement query(database,
                  "SELECT MIN(other.started_at_ms) FROM run_gpu AS mine "
                  "JOIN run_trace AS my_trace ON my_trace.run_id = mine.run_id "
                  "JOIN run_gpu AS same ON same.gpu = mine.gpu "
                  "JOIN run AS other ON other.run_id = same.run_id "
                  "JOIN run_trace AS trace ON trace.run_id = same.run_id "
                  "WHERE mine.run_id = ? AND trace.instance = my_trace.instance AND other.retracted_at_ms IS NULL");
  query.bind(1, run_id);
  return query.step() ? query.optional_integer(0) : std::nullopt;
}

/// A GPU that was in this instance, then in another one, and is in this one again. In two looks at its runs, not at
/// pairs of them: a watched machine has tens of thousands.
void look_for_returns(Database& database, const std::string& run_id, std::vector<FoundFlag>& flags) {
  constexpr std::int64_t kMost = 20;
  const auto first_ms = first_in_instance_ms(database, run_id);
  if (!first_ms) return;
  Statement query(database, fmt::format("SELECT DISTINCT other.run_id FROM run_gpu AS mine "
                                        "JOIN run AS me ON me.run_id = mine.run_id "
                                        "JOIN run_trace AS my_trace ON my_trace.run_id = mine.run_id "
                                        "JOIN run_gpu AS same ON same.gpu = mine.gpu "
                                        "JOIN run AS other ON other.run_id = same.run_id "
                                        "JOIN run_trace AS trace ON trace.run_id = same.run_id "
                                        "WHERE mine.run_id = ?1 AND me.simulated = 0 AND {} "
                                        "AND trace.instance <> my_trace.instance AND other.started_at_ms > ?2 "
                                        "AND other.started_at_ms < me.started_at_ms LIMIT ?3",
                                        kCounting));
  query.bind(1, run_id).bind(2, *first_ms).bind(3, kMost);
  while (query.step())
    flag_both(flags, run_id, query.text(0), "two_rentals", "one of its GPUs was in another instance meanwhile, in");
}

std::optional<Result> result_of(Database& database, const std::string& run_id) {
  Statement query(database, "SELECT body FROM run_body WHERE run_id = ?");
  query.bind(1, run_id);
  if (!query.step()) return std::nullopt;
  try {
    return parse_result(query.text(0));
  } catch (const Error&) {  // of a version that this program does not know
    return std::nullopt;
  }
}

/// Runs of other machines, received no later, that share so many patterns that it cannot be chance in any dataset.
std::vector<std::string> candidates(Database& database, const std::string& run_id) {
  constexpr std::int64_t kLeastShared = 2, kMost = 10;
  Statement query(
      database,
      fmt::format("SELECT other.run_id FROM run_pattern AS mine JOIN run AS me ON me.run_id = mine.run_id "
                  "LEFT JOIN signing_key AS my_key ON my_key.agent_key = me.agent_key "
                  "JOIN run_pattern AS same ON same.pattern = mine.pattern AND same.run_id <> mine.run_id "
                  "JOIN run AS other ON other.run_id = same.run_id "
                  "LEFT JOIN signing_key AS key ON key.agent_key = other.agent_key "
                  "WHERE mine.run_id = ?1 AND me.simulated = 0 AND {} AND other.received_at_ms <= me.received_at_ms "
                  "AND COALESCE(key.machine_key, other.agent_key) <> COALESCE(my_key.machine_key, me.agent_key) "
                  "GROUP BY other.run_id HAVING COUNT(*) >= ?2 ORDER BY COUNT(*) DESC LIMIT ?3",
                  kCounting));
  query.bind(1, run_id).bind(2, kLeastShared).bind(3, kMost);
  std::vector<std::string> run_ids;
  while (query.step()) run_ids.push_back(query.text(0));
  return run_ids;
}

/// Only what came later is a copy: a run that anybody can read must not lose its standing because somebody sends it
/// again.
void look_for_copies(Database& database, const std::string& run_id, std::vector<FoundFlag>& flags) {
  const std::vector<std::string> alike = candidates(database, run_id);
  if (alike.empty()) return;
  const auto mine = result_of(database, run_id);
  for (const std::string& other : alike) {
    const auto theirs = result_of(database, other);
    if (mine && theirs && are_copies(*mine, *theirs))
      flags.push_back({run_id, "copied_samples",
                       fmt::format("its samples are, up to a factor, those of another machine's {}", other)});
  }
}

}  // namespace

std::vector<FoundFlag> flags_of_new_run(Database& database, std::string_view run_id) {
  const std::string id(run_id);
  std::vector<FoundFlag> flags;
  look_for_overlaps(database, id, flags);
  look_for_returns(database, id, flags);
  look_for_copies(database, id, flags);
  return flags;
}

}  // namespace gpuassay
