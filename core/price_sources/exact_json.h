// What does a JSON price list say, with every number as the text it was written as?
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/byte_source.h"

namespace gpuassay {

/// Reads a whole document of at most 256 MiB. Numbers become strings of plain digits: a price never passes through a
/// binary float. Throws Error{unreadable_input} with line and column for anything that is no such document.
nlohmann::json read_exact_json(ByteSource& source);

/// The text of a string or number; empty for null, absence and everything else.
std::string json_text(const nlohmann::json& object, const char* name);
/// The same, empty optional instead of an empty text.
std::optional<std::string> optional_json_text(const nlohmann::json& object, const char* name);
bool json_flag(const nlohmann::json& object, const char* name);

/// The array called `name`, or the document itself when it is one. Throws Error{unreadable_input} naming `what`.
const nlohmann::json& json_items(const nlohmann::json& document, const char* name, std::string_view what);

}  // namespace gpuassay
