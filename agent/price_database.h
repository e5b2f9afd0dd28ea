// Which prices does this machine know?
#pragma once

#include <filesystem>
#include <optional>

#include "core/price_import.h"
#include "core/sqlite.h"

namespace gpuassay {

/// The prices of DATA/prices.db together with the bundled ones; without such a file the bundled ones alone, in memory:
/// looking makes no files. Throws Error{database}.
SqliteDatabase open_prices(const std::filesystem::path& data_dir);

/// A database in memory that holds what the user named: the prices of `file` alone, or without it those of
/// open_prices(); with `rates`, those exchange rates alone. `report` receives what became of the file's lines. Throws
/// as read_price_file() does.
SqliteDatabase open_named_prices(const std::filesystem::path& data_dir, const std::optional<PriceFileOptions>& file,
                                 const std::optional<std::filesystem::path>& rates, ImportReport& report);

}  // namespace gpuassay
