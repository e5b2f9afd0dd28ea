#include "agent/platform/metadata_map.h"

#include <fmt/format.h>

#include <limits>

#include "agent/platform/metadata_client.h"
#include "agent/platform/words.h"
#include "agent/probe/text_fields.h"
#include "core/error.h"

namespace gpuassay {

MetadataMap parse_metadata_map(std::string_view text) {
  MetadataMap map;
  if (trim(text).empty()) return map;
  for (const std::string_view entry : split(text, ',')) {
    const auto sides = split_key_value(entry, '=');
    const auto address = sides ? split_key_value(sides->second, ':') : std::nullopt;
    const auto port = address ? parse_integer(address->second) : std::nullopt;
    const bool fine = address && word(address->first) && port && *port > 0 &&
                      *port <= std::numeric_limits<std::uint16_t>::max() && is_metadata_host(sides->first);
    if (!fine) {
      throw Error(ErrorCode::usage,
                  fmt::format("GPUASSAY_METADATA_MAP has '{}'; write HOST=ADDRESS:PORT with the host of a metadata "
                              "service, such as 169.254.169.254=127.0.0.1:8001",
                              clean_text(entry).value_or("")));
    }
    map[std::string(sides->first)] = {std::string(address->first), static_cast<std::uint16_t>(*port)};
  }
  return map;
}

}  // namespace gpuassay
