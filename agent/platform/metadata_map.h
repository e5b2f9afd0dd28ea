// Where are metadata services really, when GPUASSAY_METADATA_MAP says that they are elsewhere?
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace gpuassay {

struct MappedAddress {
  std::string host;  ///< a name or an IPv4 address
  std::uint16_t port = 80;
};

/// By the host of a metadata service as the platforms name it.
using MetadataMap = std::map<std::string, MappedAddress, std::less<>>;

/// Takes "169.254.169.254=127.0.0.1:8001,metadata.nebius.internal=127.0.0.1:8002"; empty text is an empty map. Throws
/// Error{usage} for anything else, and for a host that no platform asks.
MetadataMap parse_metadata_map(std::string_view text);

}  // namespace gpuassay
