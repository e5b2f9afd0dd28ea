// The readers of the price formats: one file each in this folder, all of the same shape.
#pragma once

#include "core/price_sources/source.h"

namespace gpuassay {

PriceImport read_normalized_prices(ByteSource& source, const SourceContext& context);
PriceImport read_seed_prices(ByteSource& source, const SourceContext& context);
PriceImport read_gpuhunt_prices(ByteSource& source, const SourceContext& context);
PriceImport read_skypilot_prices(ByteSource& source, const SourceContext& context);
PriceImport read_vast_prices(ByteSource& source, const SourceContext& context);
PriceImport read_azure_prices(ByteSource& source, const SourceContext& context);
PriceImport read_aws_prices(ByteSource& source, const SourceContext& context);
PriceImport read_lambda_prices(ByteSource& source, const SourceContext& context);
PriceImport read_runpod_prices(ByteSource& source, const SourceContext& context);

}  // namespace gpuassay
