#include "collector/client_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"

namespace gpuassay {
namespace {

std::string text_of(int family, const unsigned char* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, bytes, text.data(), text.size());
  return text.data();
}

/// "192.0.2.1:4711", "[2001:db8::1]:4711" and "[2001:db8::1]" without port and brackets.
std::string_view without_port(std::string_view entry) {
  if (entry.starts_with('[')) return entry.substr(1, entry.find(']') - 1);
  const auto colon = entry.find(':');
  const bool one_colon = colon != std::string_view::npos && entry.find(':', colon + 1) == std::string_view::npos;
  return one_colon ? entry.substr(0, colon) : entry;
}

}  // namespace

std::optional<std::string> canonical_address(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string terminated(text);
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return text_of(AF_INET, bytes.data());
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) != 1) return std::nullopt;
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return text_of(AF_INET, &bytes[kMapped.size()]);
  return text_of(AF_INET6, bytes.data());
}

TrustedProxies::TrustedProxies(const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    auto canonical = canonical_address(address);
    if (!canonical) throw Error(ErrorCode::usage, fmt::format("--trusted-proxy {} is not an IP address", address));
    addresses_.push_back(*std::move(canonical));
  }
}

bool TrustedProxies::include(std::string_view peer) const {
  return std::find(addresses_.begin(), addresses_.end(), peer) != addresses_.end();
}

std::string TrustedProxies::client_of(const std::string& peer, std::string_view forwarded_for) const {
  if (!include(peer)) return peer;
  std::string_view last = forwarded_for.substr(forwarded_for.rfind(',') + 1);
  while (last.starts_with(' ') || last.starts_with('\t')) last.remove_prefix(1);
  while (last.ends_with(' ') || last.ends_with('\t')) last.remove_suffix(1);
  return canonical_address(without_port(last)).value_or(peer);
}

}  // namespace gpuassay
