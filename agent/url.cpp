#include "agent/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/ascii.h"
#include "core/error.h"

namespace gpuassay {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  throw Error(ErrorCode::usage, fmt::format("the URL {} {}; write for instance https://collector.example",
                                            printable ? text.substr(0, 120) : "given", why));
}

bool is_name(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

bool is_literal_v6(std::string_view host) {
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.'; });
}

/// Takes "host", "host:port", "[v6]" or "[v6]:port" into `url`.
void read_authority(std::string_view text, std::string_view authority, Url& url) {
  std::string_view port;
  const bool bracketed = !authority.empty() && authority.front() == '[';
  const std::size_t end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end == std::string_view::npos) refuse(text, "has an unclosed bracket");
  std::string_view host = authority.substr(0, end);
  std::string_view rest = end == std::string_view::npos ? std::string_view() : authority.substr(end);
  if (bracketed) {
    host.remove_prefix(1);
    rest.remove_prefix(1);
  }
  url.host = lower_case(host);
  if (host.empty() || host.size() > 253 || !(bracketed ? is_literal_v6(url.host) : is_name(url.host)))
    refuse(text, "has no valid host");
  if (rest.empty()) return;
  port = rest.substr(1);
  const auto [stop, problem] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (rest.front() != ':' || problem != std::errc() || stop != port.data() + port.size() || url.port == 0)
    refuse(text, "has no valid port");
}

}  // namespace

Url parse_url(std::string_view text) {
  if (text.size() > 2000 || !std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
    refuse(text, "has characters that no URL has");
  const std::size_t colon = text.find("://");
  const std::string scheme = lower_case(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  if (scheme != "http" && scheme != "https") refuse(text, "does not begin with http:// or https://");
  Url url;
  url.https = scheme == "https";
  url.port = url.https ? 443 : 80;
  std::string_view rest = text.substr(colon + 3);
  if (rest.find_first_of("?#") != std::string_view::npos) refuse(text, "has a query or fragment");
  const std::size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) refuse("given", "holds a user name or password");
  read_authority(text, authority, url);
  if (slash != std::string_view::npos) url.path = rest.substr(slash);
  while (!url.path.empty() && url.path.back() == '/') url.path.pop_back();
  return url;
}

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (https ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::text() const { return fmt::format("{}://{}{}", https ? "https" : "http", authority(), path); }

}  // namespace gpuassay
