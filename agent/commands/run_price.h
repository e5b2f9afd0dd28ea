// What does the machine that is measured cost?
#pragma once

#include <optional>
#include <string>

#include "agent/environment.h"
#include "agent/progress.h"
#include "core/model.h"

namespace gpuassay {

/// --price as the document has money: six places.
std::optional<std::string> price_six_places(const std::optional<std::string>& price_usd_per_hour);

/// Puts in the price that belongs to this machine now. Prices that cannot be read must not cost the measurement: that
/// is told.
void look_up_price(Result& begun, const Environment& environment, Progress& progress);

/// For how long `max_cost_usd` lasts at that price; both decimal texts above zero.
double affordable_s(const std::string& max_cost_usd, const std::string& price_usd_per_hour);

}  // namespace gpuassay
