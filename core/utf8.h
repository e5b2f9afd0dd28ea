// Is this text UTF-8, and fit to be shown?
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

/// Where the first byte stands that does not belong to well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates,
/// nothing above U+10FFFF); empty for good text.
std::optional<std::size_t> first_bad_utf8(std::string_view text);

/// `text` without what moves a cursor or reorders text: control characters (C0, DEL, C1), marks and overrides of
/// direction, separators of lines and paragraphs, byte order marks; and without bytes that are not UTF-8.
std::string printable_utf8(std::string_view text);

/// The first code point that shows something: no space, control or format character of any kind, and no filler. Empty
/// where there is none; bytes that are not UTF-8 are passed over.
std::optional<std::uint32_t> first_visible(std::string_view text);

}  // namespace gpuassay
