// How does our SQL become PostgreSQL's? The only place that knows how the dialects of the two engines differ.
#pragma once

#include <string>
#include <string_view>

namespace gpuassay {

/// - `?` and `?1` become `$1`: SQLite numbers a bare `?` one above the highest number so far.
/// - The type BLOB becomes BYTEA.
/// - A column of type TEXT gets COLLATE "C": join.sql orders by text, and the order must not depend on the server.
/// - `temp.` becomes `pg_temp.`.
/// Literals, quoted names and comments stay as they are.
std::string postgres_sql(std::string_view sql);

}  // namespace gpuassay
