// Which columns do the tables have that come from the store as they are: prices, options and deletions?
#pragma once

#include <functional>
#include <string_view>

#include "collector/export/column.h"
#include "collector/export/surrogates.h"
#include "core/database.h"

namespace gpuassay {

const Table& prices_table();
const Table& options_table();
const Table& deletions_table();

using WriteTableLine = std::function<void(std::string_view line)>;
void write_prices(Database& database, const WriteTableLine& write);
void write_options(Database& database, const WriteTableLine& write);
void write_deletions(Database& database, const Surrogates& surrogates, const WriteTableLine& write);

}  // namespace gpuassay
