// Is this the address of a server we are willing to talk to?
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gpuassay {

/// An absolute http or https address without user, query and fragment.
struct Url {
  bool https = false;
  std::string host;  ///< name or literal address, IPv6 without brackets, lower case
  std::uint16_t port = 0;
  std::string path;  ///< "" or "/prefix", never ending in "/"

  /// What the Host header says: without the port when it is the scheme's own.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string text() const;
};

/// Throws Error{usage} with the reason for anything else.
Url parse_url(std::string_view text);

}  // namespace gpuassay
