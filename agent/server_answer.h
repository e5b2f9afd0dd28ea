// What does a server's answer say, in one line that is safe on any terminal?
#pragma once

#include <string>
#include <string_view>

#include "agent/http_client.h"

namespace gpuassay {

/// Text from a server as printable ASCII, at most 400 characters.
std::string shown(std::string_view text);

/// What the server says about its refusal (title, detail and first violation of a problem document, RFC 9457); its
/// status alone when it says nothing readable.
std::string refusal_text(const HttpAnswer& answer);

/// The header `name` (lower case); "" when the answer has none.
std::string header_of(const HttpAnswer& answer, const std::string& name);

}  // namespace gpuassay
