// Which database does a command of the collector work on, and how is that said on its command line?
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 has that name
class App;
}

namespace gpuassay {

/// Which database instead of the SQLite file in the data directory.
struct DatabaseChoice {
  std::optional<std::string> url;  ///< postgresql://...; may hold a password
  std::size_t connections = 4;
};

void add_database_options(CLI::App& command, DatabaseChoice& database);

/// Throws Error{usage}, without showing it, for a URL of another kind.
void require_postgres_url(const DatabaseChoice& database);

}  // namespace gpuassay
