// What do the seed prices say? Reader of the format of core/data/seed_prices.csv.
#pragma once

#include <string_view>

#include "core/prices.h"

namespace gpuassay {

/// Reads a whole seed file. Lines without a GPU or date, or with an unreadable cell, are rejected, implausible prices
/// quarantined, each with its reason; lines whose basis is not an offer are kept and marked so. Throws
/// Error{unreadable_input} when the file is not of this format: then nothing of it may be used.
PriceImport read_seed_prices(std::string_view csv_text);

/// The seed prices that are part of the program.
std::string_view embedded_seed_prices();

}  // namespace gpuassay
