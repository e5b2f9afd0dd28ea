#include "core/timestamp.h"

#include <fmt/format.h>

#include <array>

#include "core/error.h"

namespace gpuassay {
namespace {

bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays.at(static_cast<std::size_t>(month - 1));
}

/// Days before 1 January of `year`, counted from 1 January of year 0.
std::int64_t days_before_year(std::int64_t year) {
  const std::int64_t last = year - 1;
  return year == 0 ? 0 : year * 365 + last / 4 - last / 100 + last / 400 + 1;
}

/// In the years 0 to 9999, which have four digits.
bool is_writable(std::int64_t since_epoch_ms) {
  return since_epoch_ms >= -days_before_year(1970) * kMsPerDay &&
         since_epoch_ms < (days_before_year(10000) - days_before_year(1970)) * kMsPerDay;
}

[[noreturn]] void refuse(std::string_view text) {
  throw Error(ErrorCode::unreadable_input,
              fmt::format("'{}' is not an instant; write it as 2026-01-31T12:00:00Z", text.substr(0, 40)));
}

/// Takes the pieces of one text from left to right.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : all_(text), rest_(text) {}

  int digits(std::size_t count) {
    if (rest_.size() < count) refuse(all_);
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') refuse(all_);
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) refuse(all_);
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  [[nodiscard]] bool next_is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  [[nodiscard]] bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  void end() const {
    if (!rest_.empty()) refuse(all_);
  }

 private:
  std::string_view all_, rest_;
};

std::int64_t fraction_ms(Cursor& cursor) {
  std::int64_t value = std::int64_t{100} * cursor.digits(1);
  if (cursor.next_is_digit()) value += std::int64_t{10} * cursor.digits(1);
  if (cursor.next_is_digit()) value += cursor.digits(1);
  while (cursor.next_is_digit()) cursor.digits(1);
  return value;
}

std::int64_t offset_ms(Cursor& cursor, std::string_view text) {
  const char sign = cursor.one_of("Zz+-");
  if (sign == 'Z' || sign == 'z') return 0;
  const int hours = cursor.digits(2);
  cursor.one_of(":");
  const int minutes = cursor.digits(2);
  if (hours > 23 || minutes > 59) refuse(text);
  const std::int64_t magnitude = (hours * 60 + minutes) * std::int64_t{60'000};
  return sign == '+' ? magnitude : -magnitude;
}

}  // namespace

std::int64_t days_since_epoch(int year, int month, int day) {
  if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
    throw Error(ErrorCode::unreadable_input,
                fmt::format("{:04}-{:02}-{:02} is not a date; write year-month-day", year, month, day));
  std::int64_t days = days_before_year(year) - days_before_year(1970) + day - 1;
  for (int earlier = 1; earlier < month; ++earlier) days += days_in_month(year, earlier);
  return days;
}

std::int64_t parse_rfc3339_ms(std::string_view text) {
  Cursor cursor(text);
  const int year = cursor.digits(4);
  cursor.one_of("-");
  const int month = cursor.digits(2);
  cursor.one_of("-");
  const int day = cursor.digits(2);
  cursor.one_of("Tt ");
  const int hour = cursor.digits(2);
  cursor.one_of(":");
  const int minute = cursor.digits(2);
  cursor.one_of(":");
  const int second = cursor.digits(2);
  if (hour > 23 || minute > 59 || second > 60) refuse(text);
  std::int64_t ms = ((hour * 60 + minute) * std::int64_t{60} + second) * 1000;
  if (cursor.next_is('.')) {
    cursor.one_of(".");
    ms += fraction_ms(cursor);
  }
  ms -= offset_ms(cursor, text);
  cursor.end();
  const std::int64_t since_epoch_ms = days_since_epoch(year, month, day) * kMsPerDay + ms;
  if (!is_writable(since_epoch_ms)) refuse(text);
  return since_epoch_ms;
}

std::string format_rfc3339_ms(std::int64_t since_epoch_ms) {
  if (!is_writable(since_epoch_ms))
    throw Error(ErrorCode::unreadable_input, "an instant lies outside the years 0 to 9999; check the clock");
  std::int64_t days = since_epoch_ms / kMsPerDay;
  std::int64_t ms = since_epoch_ms % kMsPerDay;
  if (ms < 0) {
    ms += kMsPerDay;
    --days;
  }
  const std::int64_t day_number = days + days_before_year(1970);
  auto year = static_cast<int>(day_number / 366);  // never too late; at most 7 years too early
  while (days_before_year(year + 1) <= day_number) ++year;
  auto day = static_cast<int>(day_number - days_before_year(year));
  int month = 1;
  for (; day >= days_in_month(year, month); ++month) day -= days_in_month(year, month);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", year, month, day + 1, ms / 3'600'000,
                     ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

}  // namespace gpuassay
