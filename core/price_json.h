// What does the answer of the join look like in JSON? The same in both programs. Include it in .cpp files only.
#pragma once

#include <nlohmann/json.hpp>

#include "core/price_join.h"

namespace gpuassay {

/// All output fields of docs/PRICES.md, null where unknown; money as decimal strings with six places.
nlohmann::json price_answer_json(const PriceAnswer& answer);

}  // namespace gpuassay
