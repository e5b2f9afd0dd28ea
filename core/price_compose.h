// What does a machine cost whose host and GPUs have prices of their own?
#pragma once

#include "core/price_sources/source.h"

namespace gpuassay {

/// Adds one derived offer for each vm_only row: host + count x add-on, from the gpu_addon rows of the same provider,
/// region, zone, pricing model and instant. Model and count come from core/data/machine_sizes.csv, else from the row
/// itself. With the add-on missing, or without an amount, the derived row is kept as `component_missing`.
void add_composed_offers(PriceImport& import, const FxTable& rates);

}  // namespace gpuassay
