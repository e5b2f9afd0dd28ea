#include "collector/run_query.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace gpuassay {
namespace {

/// The texts that a filter can ask for, and their columns.
auto text_conditions(const RunFilter& filter) {
  using Condition = std::pair<const char*, const std::optional<std::string>*>;
  return std::array{Condition{"gpu_model", &filter.gpu_model},
                    Condition{"provider", &filter.provider},
                    Condition{"instance_type", &filter.instance_type},
                    Condition{"region", &filter.region},
                    Condition{"trust", &filter.trust},
                    Condition{"agent_key", &filter.agent_key}};
}

}  // namespace

bool hold_run(Database& database, std::string_view run_id) {
  Statement hold(database, "UPDATE run SET trust = trust WHERE run_id = ? AND retracted_at_ms IS NULL");
  hold.bind(1, run_id).run();
  return database.changes() == 1;
}

const char* const kMachineOfRun =
    "(SELECT COALESCE(machine_key, run.agent_key) FROM signing_key WHERE signing_key.agent_key = run.agent_key)";

const char* const kRunColumns =
    "run_id, agent_key, received_at_ms, simulated, trust, quarantine_reason, started_at_ms, provider, instance_type, "
    "region, pricing_model, gpu_model, gpu_count, gpu_memory_bytes, instance_key, gpu_variant, vcpus_milli, "
    "memory_mib, "
    "score_version, score";

int read_columns(const Statement& row, RunColumns& run) {
  int column = 0;
  run.run_id = row.text(column++);
  run.agent_key = row.text(column++);
  run.received_at_ms = row.integer(column++);
  run.simulated = row.integer(column++) != 0;
  run.trust = row.text(column++);
  run.quarantine_reason = row.optional_text(column++);
  run.started_at_ms = row.integer(column++);
  run.provider = row.text(column++);
  run.instance_type = row.optional_text(column++);
  run.region = row.optional_text(column++);
  run.pricing_model = row.optional_text(column++);
  run.gpu_model = row.optional_text(column++);
  run.gpu_count = row.integer(column++);
  run.gpu_memory_bytes = row.optional_integer(column++);
  run.instance_key = row.optional_text(column++);
  run.gpu_variant = row.optional_text(column++);
  run.vcpus_milli = row.optional_integer(column++);
  run.memory_mib = row.optional_integer(column++);
  run.score_version = row.text(column++);
  run.score = row.optional_real(column++);
  return column;
}

std::string from_where(const RunFilter& filter) {
  std::string sql = "FROM run WHERE retracted_at_ms IS NULL";
  if (!filter.with_simulated) sql += " AND simulated = 0";
  if (!filter.with_quarantined) sql += " AND quarantine_reason IS NULL";
  for (const auto& [column, wanted] : text_conditions(filter))
    if (*wanted) sql += fmt::format(" AND {} = ?", column);
  if (filter.started_from_ms) sql += " AND started_at_ms >= ?";
  if (filter.started_before_ms) sql += " AND started_at_ms < ?";
  return sql;
}

int bind_filter(Statement& query, const RunFilter& filter) {
  int next = 1;
  for (const auto& [column, wanted] : text_conditions(filter))
    if (*wanted) query.bind(next++, std::string_view(**wanted));
  if (filter.started_from_ms) query.bind(next++, *filter.started_from_ms);
  if (filter.started_before_ms) query.bind(next++, *filter.started_before_ms);
  return next;
}

namespace {

/// Where looking ends: the run that is `most` places behind `after`, or nothing when there are fewer. Reads an index
/// only.
std::optional<RunCursor> end_of_look(Database& database, const std::optional<std::string>& gpu_model,
                                     const std::optional<RunCursor>& after, std::size_t most) {
  std::string sql = "SELECT received_at_ms, run_id FROM run WHERE 1 = 1";
  if (gpu_model) sql += " AND gpu_model = ?";
  if (after) sql += " AND (received_at_ms, run_id) < (?, ?)";
  Statement query(database, sql + " ORDER BY received_at_ms DESC, run_id DESC LIMIT 1 OFFSET ?");
  int next = 1;
  if (gpu_model) query.bind(next++, std::string_view(*gpu_model));
  if (after) query.bind(next, after->received_at_ms).bind(next + 1, std::string_view(after->run_id));
  if (after) next += 2;
  query.bind(next, static_cast<std::int64_t>(most) - 1);
  if (!query.step()) return std::nullopt;
  return RunCursor{query.integer(0), query.text(1)};
}

}  // namespace

RunPage list_runs(Database& database, const RunFilter& filter, const PageLimits& limits,
                  const std::optional<RunCursor>& after) {
  const auto last = end_of_look(database, filter.gpu_model, after, limits.looked_at);
  std::string sql = fmt::format("SELECT {} {}", kRunColumns, from_where(filter));
  if (after) sql += " AND (received_at_ms, run_id) < (?, ?)";
  if (last) sql += " AND (received_at_ms, run_id) >= (?, ?)";
  Statement query(database, sql + " ORDER BY received_at_ms DESC, run_id DESC LIMIT ?");
  int next = bind_filter(query, filter);
  for (const auto& end : {after, last}) {
    if (!end) continue;
    query.bind(next++, end->received_at_ms);
    query.bind(next++, std::string_view(end->run_id));
  }
  query.bind(next, static_cast<std::int64_t>(limits.runs) + 1);  // one more shows whether there is another page
  RunPage page;
  while (query.step()) {
    if (page.runs.size() == limits.runs) {
      if (limits.runs > 0) page.next = RunCursor{page.runs.back().received_at_ms, page.runs.back().run_id};
      return page;
    }
    read_columns(query, page.runs.emplace_back());
  }
  page.next = last;
  return page;
}

}  // namespace gpuassay
