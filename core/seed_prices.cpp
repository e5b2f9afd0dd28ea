#include "core/seed_prices.h"

#include "core/price_sources/readers.h"
#include "embedded/SeedPrices.h"

namespace gpuassay {

std::string_view embedded_seed_prices() { return embedded::kSeedPrices; }

PriceImport bundled_seed_prices(const FxTable& rates) {
  ByteSource source = ByteSource::from_text(embedded_seed_prices());
  return read_seed_prices(source, {std::string(kSeedLabel), {}, {}, rates});
}

}  // namespace gpuassay
