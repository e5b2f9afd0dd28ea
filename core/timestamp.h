// Which instant does an RFC 3339 text name?
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gpuassay {

/// Milliseconds since 1970-01-01T00:00:00Z. Takes "YYYY-MM-DDThh:mm:ss[.fraction](Z|+hh:mm|-hh:mm)"; finer fractions
/// are cut off, a leap second counts as the second after it. Throws Error{unreadable_input} for anything else, and for
/// an instant that format_rfc3339_ms() cannot write: a leap second or an offset can lead out of the years 0 to 9999.
std::int64_t parse_rfc3339_ms(std::string_view text);

/// "YYYY-MM-DDThh:mm:ss.mmmZ" for years 0 to 9999. Throws Error{unreadable_input} for others.
std::string format_rfc3339_ms(std::int64_t since_epoch_ms);

/// Days from 1970-01-01 to a date of the Gregorian calendar. Throws Error{unreadable_input} for a day that is none.
std::int64_t days_since_epoch(int year, int month, int day);

inline constexpr std::int64_t kMsPerDay = 86'400'000;

/// 2025-01-01: no result document is older, so a clock that says less is wrong.
inline constexpr std::int64_t kFirstReleaseMs = 1'735'689'600'000;

}  // namespace gpuassay
