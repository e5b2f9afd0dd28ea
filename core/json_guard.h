// Is this text from outside a JSON document that is safe to build in memory?
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace gpuassay {

/// What an untrusted document may cost at most. The defaults are those of an uploaded result.
struct JsonLimits {
  std::size_t max_bytes = std::size_t{4} << 20U;
  std::size_t max_depth = 32;          ///< nested objects and arrays
  std::size_t max_values = 60'000;     ///< scalars, objects and arrays together; 8 GPUs in full: 55,000
  std::size_t max_string_bytes = 256;  ///< decoded UTF-8 bytes of one string, key or number
  bool compact = false;                ///< refuses white space outside strings, and a byte order mark
};

/// What parse_untrusted_json() checks, without building anything.
void check_untrusted_json(std::string_view text, const JsonLimits& limits = {});

/// Parses `text` in one pass without recursion, which ends at the first thing beyond `limits`: so no more is built than
/// they allow. Refuses duplicate keys, trailing text, invalid UTF-8 and numbers beyond double too. Throws
/// Error{unreadable_input} naming the byte.
nlohmann::json parse_untrusted_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace gpuassay
