// How is the text of a kernel file cut into lines, fields and numbers, and made fit to be published?
// Everything works on bounded views and reports what does not parse as absent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpuassay {

/// Longest string from a system file that enters a result, in bytes.
inline constexpr std::size_t kMaxPublishedBytes = 200;

/// Without white space and NUL bytes at both ends.
std::string_view trim(std::string_view text);

/// Parts between `separator`, empty ones included; the views point into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Parts between runs of spaces and tabs, none empty.
std::vector<std::string_view> split_fields(std::string_view text);

/// "key : value" cut at the first `separator`, both trimmed; empty without a separator.
std::optional<std::pair<std::string_view, std::string_view>> split_key_value(std::string_view line, char separator);

/// Trimmed value of the first line whose key is `key`.
std::optional<std::string_view> value_of_key(std::string_view text, std::string_view key, char separator);

/// The whole trimmed text as a decimal integer, with a minus sign at most.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// "123 kB" or "32K", "36M" in bytes: a number not below 0 with an optional binary suffix k, K, M, G and "B";
/// empty when it does not fit.
std::optional<std::int64_t> parse_size_bytes(std::string_view text);

/// Text as it may be published: control and direction-changing characters removed, invalid UTF-8 replaced by
/// U+FFFD, runs of blanks made one, at most kMaxPublishedBytes. Empty when nothing is left.
std::optional<std::string> clean_text(std::string_view text);

}  // namespace gpuassay
