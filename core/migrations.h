// How does a database file get, and keep, the tables this version of the program expects?
#pragma once

#include <span>
#include <string_view>

#include "core/database.h"

namespace gpuassay {

/// Brings the tables of `component` up to date: migrations[i] is version i + 1, append-only. All that are missing run
/// in one transaction: after a kill the file is in the old state or the new one. Throws Error{database} when the file
/// was written by a newer version.
void migrate(Database& database, std::string_view component, std::span<const std::string_view> migrations);

}  // namespace gpuassay
