#include "agent/http_date.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// At most `limit`; empty for anything but digits.
std::optional<int> number_up_to(int limit, std::string_view text) {
  int number = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool digits = !text.empty() && text.front() >= '0' && text.front() <= '9';
  if (!digits || problem != std::errc() || stop != text.data() + text.size() || number > limit) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::int64_t> http_date_s(std::string_view text) {
  constexpr std::string_view kShape = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != kShape.size() || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto day = number_up_to(31, text.substr(5, 2)), year = number_up_to(9999, text.substr(12, 4));
  const auto hour = number_up_to(23, text.substr(17, 2)), minute = number_up_to(59, text.substr(20, 2));
  const auto second = number_up_to(60, text.substr(23, 2));  // 60: a leap second
  if (month == kMonths.end() || !year || !day || !hour || !minute || !second) return std::nullopt;
  constexpr std::int64_t kDay = 86'400, kHour = 3'600, kMinute = 60;
  try {
    const std::int64_t days = days_since_epoch(*year, static_cast<int>(month - kMonths.begin()) + 1, *day);
    return days * kDay + *hour * kHour + *minute * kMinute + *second;
  } catch (const Error&) {
    return std::nullopt;  // a day that is none
  }
}

}  // namespace gpuassay
