#include "collector/collector_database.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <thread>

#include "collector/postgres.h"
#include "core/error.h"
#include "core/migrations.h"
#include "core/price_store.h"
#include "core/sqlite.h"
#include "embedded/RunMigration0001.h"
#include "embedded/RunMigration0002.h"
#include "embedded/RunMigration0003.h"
#include "embedded/RunMigration0004.h"
#include "embedded/RunMigration0005.h"
#include "embedded/RunMigration0006.h"
#include "embedded/RunMigration0007.h"
#include "embedded/RunMigration0008.h"
#include "embedded/RunMigration0009.h"

namespace gpuassay {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> kRunMigrations{
    embedded::kRunMigration0001, embedded::kRunMigration0002, embedded::kRunMigration0003,
    embedded::kRunMigration0004, embedded::kRunMigration0005, embedded::kRunMigration0006,
    embedded::kRunMigration0007, embedded::kRunMigration0008, embedded::kRunMigration0009};

void make_data_dir(const std::string& data_dir) {
  std::error_code problem;
  if (fs::create_directories(data_dir, problem))
    fs::permissions(data_dir, fs::perms::owner_all, fs::perm_options::replace, problem);
  if (problem)
    throw Error(ErrorCode::not_saved, fmt::format("cannot make the data directory {}: {}; choose another --data-dir",
                                                  data_dir, problem.message()));
}

/// Two programs that make a new file at once: SQLite refuses the second one at once instead of letting it wait.
void switch_to_wal(Database& database, std::chrono::milliseconds lock_time) {
  const auto deadline = std::chrono::steady_clock::now() + lock_time;
  for (;;) {
    try {
      database.execute("PRAGMA journal_mode = WAL");
      return;
    } catch (const Error& error) {
      constexpr int kBusy = 5;  // SQLITE_BUSY
      if (error.native_code() != kBusy || std::chrono::steady_clock::now() >= deadline) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

std::unique_ptr<Database> open_sqlite(const std::string& path, std::chrono::milliseconds lock_time) {
  auto database = std::make_unique<SqliteDatabase>(path, SqliteDatabase::Mode::read_write_create,
                                                   static_cast<int>(lock_time.count()));
  switch_to_wal(*database, lock_time);
  // NORMAL could lose runs that were acknowledged when the power fails. What is retracted is overwritten, not only
  // freed.
  database->execute("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
  return database;
}

std::string sqlite_path(const DatabaseOptions& options) {
  return (fs::path(options.data_dir) / "collector.db").string();
}

void require_store(const DatabaseOptions& options) {
  if (!fs::exists(sqlite_path(options)))
    throw Error(ErrorCode::database,
                fmt::format("there is no store {}; name the data directory of one", sqlite_path(options)));
}

ConnectionPool::Open postgres_opener(const DatabaseOptions& options) {
  return [url = *options.url, lock_time = options.lock_time] {
    PostgresOptions postgres;
    postgres.url = url;
    postgres.lock_time = lock_time;
    return std::make_unique<PostgresDatabase>(postgres);
  };
}

void require_version(Database& database) {
  Statement query(database, "SELECT MAX(version) FROM schema_migration WHERE component = 'run'");
  query.step();
  constexpr auto kKnown = static_cast<std::int64_t>(kRunMigrations.size());
  if (query.integer(0) != kKnown)
    throw Error(
        ErrorCode::database,
        fmt::format("the store has version {} of its tables and this program knows {}; start the program of that "
                    "version, or `serve` with this one, which brings the store up to date",
                    query.integer(0), kKnown));
}

}  // namespace

std::unique_ptr<ConnectionPool> open_collector_database(const DatabaseOptions& options) {
  if (options.must_exist && !options.url) require_store(options);
  if (!options.url || !options.data_dir.empty()) make_data_dir(options.data_dir);
  PoolOptions pool;
  pool.connections = options.connections;
  pool.one_writer = !options.url;
  ConnectionPool::Open open;
  if (options.url) {
    open = postgres_opener(options);
  } else {
    const std::string path = sqlite_path(options);
    if (options.check_file && fs::exists(path)) SqliteDatabase(path).require_sound();
    open = [path, lock_time = options.lock_time] { return open_sqlite(path, lock_time); };
  }
  auto connections = std::make_unique<ConnectionPool>(std::move(open), pool);
  migrate_collector(*connections->take(ConnectionPool::Access::write));
  return connections;
}

std::unique_ptr<ConnectionPool> open_collector_database_to_read(const DatabaseOptions& options) {
  ConnectionPool::Open open;
  if (options.url) {
    open = postgres_opener(options);
  } else {
    require_store(options);
    const std::string path = sqlite_path(options);
    SqliteDatabase(path, SqliteDatabase::Mode::read_only).require_sound();
    open = [path] { return std::make_unique<SqliteDatabase>(path, SqliteDatabase::Mode::read_only); };
  }
  auto connections = std::make_unique<ConnectionPool>(std::move(open));
  require_version(*connections->take(ConnectionPool::Access::read));
  return connections;
}

void migrate_collector(Database& database) {
  const PriceStore prices(database);  // makes the view `prices` of join.sql
  migrate(database, "run", kRunMigrations);
}

}  // namespace gpuassay
