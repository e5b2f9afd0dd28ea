// Which address sent this request, when there may be a proxy in between?
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuassay {

/// An IP address as text that is the same for the same address; an IPv4 address mapped into IPv6 is one of IPv4. Empty
/// for anything else.
std::optional<std::string> canonical_address(std::string_view text);

/// The proxies whose word about their clients is taken. Safe to use from any thread.
class TrustedProxies {
 public:
  /// Throws Error{usage} for text that is no IP address.
  explicit TrustedProxies(const std::vector<std::string>& addresses);

  /// `peer` as canonical_address() gives it.
  [[nodiscard]] bool include(std::string_view peer) const;
  /// The last entry of X-Forwarded-For when `peer` is such a proxy and the entry an address (a port behind it is left
  /// out); else `peer`. Entries before the last are the client's own claim.
  [[nodiscard]] std::string client_of(const std::string& peer, std::string_view forwarded_for) const;

 private:
  std::vector<std::string> addresses_;
};

}  // namespace gpuassay
