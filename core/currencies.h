// Is this a currency? The codes of ISO 4217 that money is paid in.
#pragma once

#include <string_view>

namespace gpuassay {

/// Whether `code` is a current code of ISO 4217 (list of 2024) for money: no metals, funds or test codes.
bool is_currency(std::string_view code);

}  // namespace gpuassay
