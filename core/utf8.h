// Is this text UTF-8?
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace gpuassay {

/// Where the first byte stands that does not belong to well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates,
/// nothing above U+10FFFF); empty for good text.
std::optional<std::size_t> first_bad_utf8(std::string_view text);

}  // namespace gpuassay
