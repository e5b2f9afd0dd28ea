// How does a price file get into the database? What both programs' price import commands do.
#pragma once

#include <optional>
#include <string>

#include "core/database.h"
#include "core/import_report.h"
#include "core/price_store.h"

namespace gpuassay {

/// What the user says about the file.
struct PriceFileOptions {
  std::string path;
  std::optional<std::string> format;      ///< empty: recognised by the beginning of the file
  std::optional<std::string> provider;    ///< for formats whose files do not say
  std::optional<std::string> as_of;       ///< date text, likewise
  std::optional<std::string> rates_path;  ///< exchange rates to import first
  std::optional<std::int64_t> now_ms;     ///< prices seen later are refused; empty: no clock
};

/// What became of the lines of the file, and of the table.
struct PriceImportOutcome {
  ImportReport report;
  PriceChanges changes;
};

/// Reads the file without storing it; refused when none of its lines is a price. Throws Error{usage} for an unknown
/// format or a missing option, Error{unreadable_input} naming the file for one that cannot be read or is not of that
/// format.
PriceImport read_price_file(const PriceFileOptions& options, const FxTable& rates);

/// Reads a rate file; errors as above.
std::vector<FxRate> read_rate_file(const std::string& path);

/// Stores rates and prices, wholly or, by throwing, not at all. Also throws Error{database}.
PriceImportOutcome import_price_file(Database& database, const PriceFileOptions& options);

/// Loads the bundled prices where the store has none of the documents they come from.
void add_bundled_prices(Database& database);

/// The outcome for people, one line for each reason that lines were refused; ends with a line break.
std::string describe(const PriceImportOutcome& outcome);

}  // namespace gpuassay
