// What does a unit of work cost on this machine? Predicted samples per second and the price. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// For every workload in mixed precision: dollars for a million tokens, or for a thousand images, sequences or steps,
/// at `price_instance_hour_usd`, a decimal string. Empty without a price above zero.
std::vector<UnitCost> unit_costs(const Score& score, const std::optional<std::string>& price_instance_hour_usd);

}  // namespace gpuassay
