#include "core/price_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/ascii.h"
#include "core/currencies.h"
#include "core/error.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::unreadable_input, message); }

int number(std::string_view digits) {
  int value = -1;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc() || end != digits.data() + digits.size() || value < 0)
    refuse(fmt::format("'{}' is not part of a date", digits));
  return value;
}

/// "-17" of "20240131-17", a catalogue's seventeenth run: so many milliseconds into the day, which keeps the versions
/// of one day apart and in order.
std::int64_t catalogue_run(std::string_view suffix) {
  if (suffix.empty()) return 0;
  const int run = number(suffix.substr(1));
  if (run >= kMsPerDay) refuse(fmt::format("'{}' is not the run of a catalogue", suffix.substr(0, 40)));
  return run;
}

}  // namespace

AsOf read_as_of(std::string_view text) {
  constexpr std::size_t kYear = 4;
  constexpr std::size_t kMonth = 7;
  constexpr std::size_t kDay = 10;
  if (text.size() == kYear) return {days_since_epoch(number(text), 1, 1) * kMsPerDay, DatePrecision::year};
  if (text.size() == kMonth && text[4] == '-')
    return {days_since_epoch(number(text.substr(0, 4)), number(text.substr(5, 2)), 1) * kMsPerDay,
            DatePrecision::month};
  if (text.size() == kDay && text[4] == '-' && text[7] == '-')
    return {
        days_since_epoch(number(text.substr(0, 4)), number(text.substr(5, 2)), number(text.substr(8, 2))) * kMsPerDay,
        DatePrecision::day};
  if (text.size() >= 8 && std::all_of(text.begin(), text.begin() + 8, is_digit) && (text.size() == 8 || text[8] == '-'))
    return {
        days_since_epoch(number(text.substr(0, 4)), number(text.substr(4, 2)), number(text.substr(6, 2))) * kMsPerDay +
            catalogue_run(text.substr(8)),
        DatePrecision::day};
  if (text.size() > kDay && std::all_of(text.begin(), text.begin() + kYear, is_digit))
    return {parse_rfc3339_ms(text), DatePrecision::second};
  refuse(fmt::format("'{}' is not a date; write a year, year-month, a day or an instant in UTC", text.substr(0, 40)));
}

std::string read_currency(std::string_view text) {
  if (!is_currency(text))
    refuse(fmt::format("'{}' is not a currency of ISO 4217; write three capitals such as USD, CNY for yuan",
                       text.substr(0, 40)));
  return std::string(text);
}

std::string read_pricing_model(std::string_view text) {
  constexpr std::array<std::string_view, 5> kModels{"on_demand", "spot", "preemptible", "reserved", "monthly"};
  if (std::find(kModels.begin(), kModels.end(), text) == kModels.end())
    refuse(fmt::format("'{}' is not a known pricing_model; use on_demand, spot, preemptible, reserved or monthly",
                       text.substr(0, 40)));
  return std::string(text);
}

std::int64_t read_months(std::string_view text) {
  constexpr int kMostMonths = 120;
  int months = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), months);
  if (problem != std::errc() || end != text.data() + text.size() || months < 1 || months > kMostMonths)
    refuse(fmt::format("'{}' is not a number of months from 1 to {}", text.substr(0, 40), kMostMonths));
  return months;
}

std::string day_text(std::int64_t since_epoch_ms) { return format_rfc3339_ms(since_epoch_ms).substr(0, 10); }

std::string instance_key(std::string_view name) {
  constexpr std::string_view kAzurePrefix = "standard_";
  std::string lower = lower_case(name);
  if (lower.size() > kAzurePrefix.size() && lower.starts_with(kAzurePrefix)) lower.erase(0, kAzurePrefix.size());
  std::erase_if(lower, [](char c) { return c == ' ' || c == '-' || c == '_'; });
  return lower;
}

std::string plain_digits(std::string_view number) {
  const std::size_t exponent_at = number.find_first_of("eE");
  if (exponent_at == std::string_view::npos || number.empty() || number.front() == '-') return std::string(number);
  std::string_view exponent_text = number.substr(exponent_at + 1);
  if (exponent_text.starts_with('+')) exponent_text.remove_prefix(1);
  int exponent = 0;
  const auto [end, problem] =
      std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  constexpr int kMostPlaces = 30;
  if (problem != std::errc() || end != exponent_text.data() + exponent_text.size() || exponent > kMostPlaces ||
      exponent < -kMostPlaces)
    return std::string(number);
  std::string digits(number.substr(0, exponent_at));
  const std::size_t point = std::min(digits.find('.'), digits.size());
  std::erase(digits, '.');
  auto place = static_cast<int>(point) + exponent;  // digits before the new point
  if (place <= 0) {
    digits.insert(0, static_cast<std::size_t>(1 - place), '0');
    place = 1;
  }
  if (static_cast<std::size_t>(place) >= digits.size()) {
    digits.append(static_cast<std::size_t>(place) - digits.size(), '0');
    return digits;
  }
  digits.insert(static_cast<std::size_t>(place), ".");
  return digits;
}

}  // namespace gpuassay
