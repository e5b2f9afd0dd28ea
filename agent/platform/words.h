// Is a text from outside a plausible type, region or id? Whatever a host or a server says enters a result only as one
// of these.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

/// Both ignore case.
bool equals_text(std::string_view text, std::string_view other);
bool contains_text(std::string_view text, std::string_view part);

/// Trimmed: 1 to 128 letters, digits and . _ : / + - that begin with a letter or digit; else empty. No markup, no
/// blanks, no control characters can be in it.
std::optional<std::string> word(std::string_view text);
/// A word in lower case of at most 64 letters, digits and '-' that has a letter: how every cloud spells regions and
/// zones.
std::optional<std::string> region_word(std::string_view text);
/// An opaque token for a header: 1 to 4096 printable ASCII characters without blanks; else empty.
std::optional<std::string> token_word(std::string_view text);

/// "us-central1" of "us-central1-a": without the last part after a '-'.
std::optional<std::string> region_of_dashed_zone(std::string_view zone);
/// What follows the last '/'.
std::string_view last_path_part(std::string_view path);
/// Only digits, at least one.
bool is_number(std::string_view text);
/// `prefix`, then between `least` and `most` lower-case hexadecimal digits.
bool is_hex_id(std::string_view text, std::string_view prefix, std::size_t least, std::size_t most);

}  // namespace gpuassay
