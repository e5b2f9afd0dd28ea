// How does a price file get into the database? What both programs' price import commands do.
#pragma once

#include <string>
#include <string_view>

#include "core/price_store.h"
#include "core/prices.h"
#include "core/sqlite.h"

namespace gpuassay {

/// What became of the lines of the file, and of the table.
struct PriceImportOutcome {
  ImportReport report;
  PriceChanges changes;
};

/// Reads `path` as `format` ("seed") and stores it, wholly or, by throwing, not at all. Throws Error{usage} for an
/// unknown format, Error{unreadable_input} for a file that cannot be read or is not of that format, Error{database}.
PriceImportOutcome import_price_file(Database& database, std::string_view format, const std::string& path);

/// The outcome for people, one line for each refused line; ends with a line break.
std::string describe(const PriceImportOutcome& outcome);

}  // namespace gpuassay
