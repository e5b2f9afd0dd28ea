// Where is the collector's database, and does it have the tables this program expects?
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "collector/connection_pool.h"

namespace gpuassay {

struct DatabaseOptions {
  std::string data_dir;                 ///< may be empty with a URL
  std::optional<std::string> url = {};  ///< postgresql://...; without it DATA_DIR/collector.db, an SQLite file
  std::size_t connections = 4;
  /// Reads all of an SQLite file first: a damaged one is never written to.
  bool check_file = false;
  bool must_exist = false;                     ///< a data directory without a store is an error, not a new store
  std::chrono::milliseconds lock_time{2'000};  ///< how long another program's lock is waited for
};

/// Opens the database and brings its tables up to date; two programs may do so at once. The data directory is made
/// (0700) when it does not exist; every commit is synced. Throws Error{not_saved, database, library_missing, usage}.
std::unique_ptr<ConnectionPool> open_collector_database(const DatabaseOptions& options);

/// Opens a store that is there, to look at it: nothing is made, updated or written, an SQLite file is read whole first.
/// Throws Error{database} when there is none, it is damaged, or its tables are of another version than this program's.
std::unique_ptr<ConnectionPool> open_collector_database_to_read(const DatabaseOptions& options);

/// Makes or updates all tables of the collector: prices and runs.
void migrate_collector(Database& database);

}  // namespace gpuassay
