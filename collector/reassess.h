// How do the runs that are stored get the score and the quarantine of this program, after an upgrade that changed them?
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "collector/connection_pool.h"
#include "collector/options_database.h"

namespace gpuassay {

struct ReassessOptions {
  std::string data_dir;  ///< may be empty with a database URL
  DatabaseChoice database = {};
};

struct ReassessReport {
  std::size_t runs = 0;         ///< looked at, without retracted ones
  std::size_t changed = 0;      ///< those of which any column is another now
  std::size_t quarantined = 0;  ///< of the changed: counted before, and do not any more
  std::size_t released = 0;     ///< of the changed: did not count, and do now
  std::size_t left = 0;         ///< as they were, as this program cannot tell what follows from their bodies
};

/// Runs of one transaction: uploads wait meanwhile on SQLite.
inline constexpr std::size_t kReassessedAtOnce = 100;

/// Writes what follows from each body now, where that is something else. Never changes bodies, hashes, run_ids, keys,
/// signatures, receipts, instants of receiving, and quarantines that did not come from the document. Others may use the
/// store meanwhile; what they quarantine or retract stays so. Each batch is one transaction, so that being killed
/// leaves every run as it was or as it will be, and another call does the rest. `say` receives a line for each run that
/// is left, `progress` what was done so far after each batch. Throws Error{database}.
ReassessReport reassess_store(ConnectionPool& pool, const std::function<void(std::string_view)>& say,
                              const std::function<void(const ReassessReport&)>& progress,
                              std::size_t at_once = kReassessedAtOnce);

/// Runs that are not retracted.
std::size_t count_runs(ConnectionPool& pool);

/// The report as one line.
std::string describe(const ReassessReport& report);

}  // namespace gpuassay
