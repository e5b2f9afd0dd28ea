#include "core/migrations.h"

#include <fmt/format.h>

#include "core/error.h"

namespace gpuassay {
namespace {

std::int64_t applied_version(Database& database, std::string_view component) {
  Statement query(database, "SELECT COALESCE(MAX(version), 0) FROM schema_migration WHERE component = ?");
  query.bind(1, component);
  query.step();
  return query.integer(0);
}

/// Looked at without a lock, so that who only reads is not held up by who writes.
bool is_up_to_date(Database& database, std::string_view component, std::int64_t known) {
  try {
    return applied_version(database, component) == known;
  } catch (const Error&) {
    return false;  // the first program here: there is no such table yet
  }
}

}  // namespace

void migrate(Database& database, std::string_view component, std::span<const std::string_view> migrations) {
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (is_up_to_date(database, component, known)) return;
  Transaction transaction(database);
  database.execute(
      "CREATE TABLE IF NOT EXISTS schema_migration ("
      "component TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (component, version))");
  const std::int64_t applied = applied_version(database, component);
  if (applied > known)
    throw Error(ErrorCode::database,
                fmt::format("the database has version {} of the {} tables, this program knows {}; use a newer program",
                            applied, component, known));
  for (std::int64_t version = applied + 1; version <= known; ++version) {
    database.execute(std::string(migrations[static_cast<std::size_t>(version - 1)]));
    Statement record(database, "INSERT INTO schema_migration (component, version) VALUES (?, ?)");
    record.bind(1, component).bind(2, version).run();
  }
  transaction.commit();
}

}  // namespace gpuassay
