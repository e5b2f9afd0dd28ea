// Which instant does a date name that is written as HTTP writes dates?
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gpuassay {

/// Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT", the one form that RFC 9110 lets servers send; empty for
/// anything else. The name of the day is not compared with the date.
std::optional<std::int64_t> http_date_s(std::string_view text);

}  // namespace gpuassay
