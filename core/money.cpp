#include "core/money.h"

#include <fmt/format.h>

#include <limits>

#include "core/ascii.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr unsigned kMicroPlaces = 6;
constexpr std::size_t kMaxSignificantDigits = 19;  // always fits std::uint64_t

[[noreturn]] void throw_too_large() {
  throw Error(ErrorCode::unreadable_input, "an amount is too large to compute with exactly; check the price");
}

Wide times(Wide left, Wide right) {
  if (right != 0 && left > ~Wide{0} / right) throw_too_large();
  return left * right;
}

Wide power_of_ten(unsigned exponent) {
  Wide power = 1;
  for (; exponent > 0; --exponent) power = times(power, 10);
  return power;
}

Wide round_half_even(Wide numerator, Wide denominator) {
  const Wide quotient = numerator / denominator;
  const Wide rest = numerator % denominator;
  const Wide opposite = denominator - rest;  // compares rest with one half without doubling it
  const bool up = rest > opposite || (rest == opposite && quotient % 2 == 1);
  return quotient + (up ? 1U : 0U);
}

Micros checked_micros(Wide amount) {
  if (amount > static_cast<Wide>(std::numeric_limits<Micros>::max())) throw_too_large();
  return static_cast<Micros>(amount);
}

Wide greatest_common_divisor(Wide left, Wide right) {
  while (right != 0) {
    const Wide rest = left % right;
    left = right;
    right = rest;
  }
  return left;
}

}  // namespace

Decimal parse_decimal(std::string_view text) {
  const auto refuse = [text] {
    throw Error(
        ErrorCode::unreadable_input,
        fmt::format("'{}' is not a plain number; write at most 19 digits with one decimal point", text.substr(0, 40)));
  };
  if (text.empty() || !is_digit(text.front()) || !is_digit(text.back())) refuse();
  Decimal value;
  bool after_point = false;
  std::size_t significant = 0;
  for (const char c : text) {
    if (c == '.' && !after_point) {
      after_point = true;
      continue;
    }
    if (!is_digit(c)) refuse();
    if (c != '0' || significant > 0) ++significant;
    if (significant > kMaxSignificantDigits) refuse();
    value.digits = value.digits * 10 + static_cast<std::uint64_t>(c - '0');
    if (after_point) ++value.places;
  }
  if (value.places > kMaxSignificantDigits) refuse();
  return value;
}

Micros scaled_micros(const Decimal& value, const Decimal& factor, const Decimal& divisor) {
  if (divisor.digits == 0) throw Error(ErrorCode::unreadable_input, "division by a zero count; check the price's unit");
  const Wide numerator =
      times(times(times(value.digits, factor.digits), power_of_ten(divisor.places)), power_of_ten(kMicroPlaces));
  const Wide denominator = times(divisor.digits, power_of_ten(value.places + factor.places));
  return checked_micros(round_half_even(numerator, denominator));
}

Micros parse_micros(std::string_view text) { return scaled_micros(parse_decimal(text), {1, 0}, {1, 0}); }

std::string format_micros(Micros amount) {
  // Negated as unsigned: the most negative amount has no positive counterpart.
  const auto bits = static_cast<std::uint64_t>(amount);
  const std::uint64_t magnitude = amount < 0 ? std::uint64_t{0} - bits : bits;
  return fmt::format("{}{}.{:06}", amount < 0 ? "-" : "", magnitude / 1'000'000, magnitude % 1'000'000);
}

Micros divide_half_even(Micros amount, std::int64_t divisor) {
  if (divisor <= 0 || amount < 0)
    throw Error(ErrorCode::internal, "money is divided by a count that is not positive; report this as a bug");
  return checked_micros(round_half_even(static_cast<Wide>(amount), static_cast<Wide>(divisor)));
}

Ratio::Ratio(const Decimal& value) : Ratio(value.digits, power_of_ten(value.places)) {}

Ratio::Ratio(Wide numerator, Wide denominator) : numerator_(numerator), denominator_(denominator) {
  const Wide common = greatest_common_divisor(numerator_, denominator_);
  numerator_ /= common;
  denominator_ /= common;
}

Ratio Ratio::times(const Ratio& factor) const {
  // Cancelled crosswise first, so that only a result that does not fit is refused.
  const Ratio left(numerator_, factor.denominator_);
  const Ratio right(factor.numerator_, denominator_);
  return {gpuassay::times(left.numerator_, right.numerator_), gpuassay::times(left.denominator_, right.denominator_)};
}

Ratio Ratio::over(const Ratio& divisor) const {
  if (divisor.numerator_ == 0)
    throw Error(ErrorCode::unreadable_input, "division by a zero count; check the price's unit");
  return times(Ratio(divisor.denominator_, divisor.numerator_));
}

Ratio Ratio::plus(const Ratio& other) const {
  const Wide common = greatest_common_divisor(denominator_, other.denominator_);
  const Wide left = gpuassay::times(numerator_, other.denominator_ / common);
  const Wide right = gpuassay::times(other.numerator_, denominator_ / common);
  if (left > ~Wide{0} - right) throw_too_large();
  return {left + right, gpuassay::times(denominator_, other.denominator_ / common)};
}

Micros Ratio::micros() const {
  return checked_micros(round_half_even(gpuassay::times(numerator_, power_of_ten(kMicroPlaces)), denominator_));
}

}  // namespace gpuassay
