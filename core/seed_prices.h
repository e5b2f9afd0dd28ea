// Which prices does a fresh installation know?
#pragma once

#include <string_view>

#include "core/price_sources/source.h"

namespace gpuassay {

/// core/data/seed_prices.csv, which is part of the program. Its prices are years old: a join marks them stale.
std::string_view embedded_seed_prices();

/// They as rows; `rates` convert the ones in other currencies.
PriceImport bundled_seed_prices(const FxTable& rates = {});

/// How the bundled file is called in source_ref.
inline constexpr std::string_view kSeedLabel = "seed_prices.csv";

}  // namespace gpuassay
