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

// Pedantic compilers accept the type only when so marked, and __extension__ goes before a typedef, not a using.
__extension__ typedef unsigned __int128 Wide;  // NOLINT(modernize-use-using)

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

/// An exact non-negative fraction, for prices that are put together from several figures and rounded once. Every
/// operation throws Error{unreadable_input} when 128 bits do not hold the result.
class Ratio {
 public:
  Ratio() = default;
  explicit Ratio(const Decimal& value);

  [[nodiscard]] Ratio times(const Ratio& factor) const;
  /// `divisor` must not be zero.
  [[nodiscard]] Ratio over(const Ratio& divisor) const;
  [[nodiscard]] Ratio plus(const Ratio& other) const;
  /// In millionths, rounded half to even.
  [[nodiscard]] Micros micros() const;

 private:
  Ratio(Wide numerator, Wide denominator);

  Wide numerator_ = 0, denominator_ = 1;  ///< without a common factor
};

}  // namespace gpuassay
