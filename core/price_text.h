// What do the cells of price files say? Dates, currencies, quantities and names as text to values. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/money.h"
#include "core/prices.h"

namespace gpuassay {

/// A date as coarse as it was written.
struct AsOf {
  std::int64_t first_ms = 0;  ///< first instant of its period
  DatePrecision precision = DatePrecision::day;
};

/// Each throws Error{unreadable_input} for any other text.
AsOf read_as_of(std::string_view text);            ///< "2019", "2019-01", "2019-01-23", "20190123-7" or an instant
std::string read_currency(std::string_view text);  ///< a code of ISO 4217
std::string read_pricing_model(std::string_view text);
std::int64_t read_months(std::string_view text);  ///< 1 to 120

/// "2022-07-07" of an instant.
std::string day_text(std::int64_t since_epoch_ms);

/// Compares names of instance types: lower case, without spaces, '-', '_' and a leading "Standard_".
std::string instance_key(std::string_view name);

/// A number as JSON or Python writes it, with an exponent perhaps, as plain digits: "4.7E-2" is "0.047". Other text
/// stays as it is.
std::string plain_digits(std::string_view number);

}  // namespace gpuassay
