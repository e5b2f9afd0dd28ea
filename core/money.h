// How are prices computed exactly? As decimals in integers, rounded once, half to even, at six places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gpuassay {

/// A non-negative decimal number: digits / 10^places, exact.
struct Decimal {
  std::uint64_t digits = 0;
  unsigned places = 0;
  bool operator==(const Decimal&) const = default;
};

/// An amount of money, or a count, in millionths of its unit.
using Micros = std::int64_t;

/// Hours of a month as prices count them: 8760 / 12.
inline constexpr std::uint64_t kHoursPerMonth = 730;
inline constexpr std::uint64_t kHoursPerYear = 8760;

/// Reads digits with at most one point between them ("1.72", "12660"). Signs, exponents, separators, spaces and
/// more than 19 significant digits are refused: Error{unreadable_input}.
Decimal parse_decimal(std::string_view text);

/// value * factor / divisor in millionths, rounded once, half to even. Error{unreadable_input} when the result does
/// not fit, or the divisor is zero.
Micros scaled_micros(const Decimal& value, const Decimal& factor, const Decimal& divisor);

/// parse_decimal() rounded to millionths.
Micros parse_micros(std::string_view text);

/// Six places, always: 1720000 is "1.720000".
std::string format_micros(Micros amount);

/// amount / divisor, rounded half to even; divisor > 0.
Micros divide_half_even(Micros amount, std::int64_t divisor);

}  // namespace gpuassay
