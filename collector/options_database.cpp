#include "collector/options_database.h"

#include <CLI/CLI.hpp>

#include "collector/postgres_url.h"
#include "core/error.h"

namespace gpuassay {

/// The URL may come by the environment, where other users of the machine do not see it.
void add_database_options(CLI::App& command, DatabaseChoice& database) {
  command.add_option("--database", database.url, "PostgreSQL instead of the file in DIR; also GPUASSAY_DATABASE")
      ->type_name("postgresql://USER@HOST/NAME")
      ->envname("GPUASSAY_DATABASE");
  constexpr std::size_t kMostConnections = 64;
  command.add_option("--database-connections", database.connections, "Connections kept open, at most")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, kMostConnections));
}

void require_postgres_url(const DatabaseChoice& database) {
  if (database.url && !is_postgres_url(*database.url))
    throw Error(ErrorCode::usage,
                "--database must begin with postgresql:// (its value is not shown, as it may hold a password)");
}

}  // namespace gpuassay
