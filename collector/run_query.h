// How do filters and pages become SQL, and rows become runs? For what reads the table `run`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "collector/run_record.h"
#include "core/database.h"

namespace gpuassay {

/// What one page may hold, and how many runs may be looked at for it: a filter that hardly any run fits must not read
/// through all of them.
struct PageLimits {
  std::size_t runs, looked_at;
};

RunPage list_runs(Database& database, const RunFilter& filter, const PageLimits& limits,
                  const std::optional<RunCursor>& after);

/// "FROM run WHERE ...": only the conditions that are asked, so that the planner sees which index fits. Parameters are
/// numbered from 1.
std::string from_where(const RunFilter& filter);
/// Returns the number of the next free parameter.
int bind_filter(Statement& query, const RunFilter& filter);

/// Keeps the run's row for this transaction: a deletion, or another that holds it, waits and then sees what was
/// written. False when there is no such run, or not any more.
bool hold_run(Database& database, std::string_view run_id);

/// Of a row of `run`: the first key of the machine that signed it, which is one through all its keys.
extern const char* const kMachineOfRun;

/// The columns of RunColumns in the order of read_columns().
extern const char* const kRunColumns;
/// Reads them into `run` and returns the number of the column after them.
int read_columns(const Statement& row, RunColumns& run);

}  // namespace gpuassay
