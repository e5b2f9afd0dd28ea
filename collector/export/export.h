// How does the whole dataset become a folder of Parquet files that analysts can use without asking anything else?
#pragma once

#include <cstdint>
#include <string>

#include "collector/connection_pool.h"
#include "collector/options_database.h"

namespace gpuassay {

struct ExportOptions {
  std::string target;
  std::string data_dir;
  DatabaseChoice database = {};
  std::string duckdb = "duckdb";
  /// Runs of an offer that fewer machines than this have measured lose what tells machines apart.
  std::int64_t suppress_below = 0;
};

/// Writes runs, devices, measurements, headline, results, prices, options and deletions of one instant, and the
/// documents that go with them, in place of the folder `options.target`. Simulated, quarantined and retracted runs are
/// in no table. What was written, in words. Throws Error{library_missing, usage, busy, not_saved, database}; the former
/// export is then untouched.
std::string export_dataset(ConnectionPool& pool, const ExportOptions& options, std::int64_t now_ms);

}  // namespace gpuassay
