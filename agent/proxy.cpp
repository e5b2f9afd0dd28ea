#include "agent/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "core/ascii.h"
#include "core/error.h"
#include "core/signature.h"

namespace gpuassay {
namespace {

std::string variable(std::initializer_list<const char*> names) {
  for (const char* const name : names)
    if (const char* const value = std::getenv(name); value != nullptr && value[0] != '\0') return value;
  return {};
}

[[noreturn]] void refuse(std::string_view why) {
  throw Error(ErrorCode::usage,
              fmt::format("the proxy's address {}; write for instance http://proxy.example:3128", why));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// User or password as they stand in an address, with %XX for special characters.
std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
    if (low < 0) refuse("has a % without two hexadecimal digits");
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

std::string basic_authorization(std::string_view user_info) {
  const std::size_t colon = user_info.find(':');
  const std::string user = decoded(user_info.substr(0, colon));
  const std::string password = colon == std::string_view::npos ? "" : decoded(user_info.substr(colon + 1));
  if (user.find(':') != std::string::npos) refuse("has a user name with a colon");
  return "Basic " + base64(user + ":" + password);
}

bool is_this_machine(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "::1";
}

bool names_target(std::string_view entry, const Url& target) {
  if (entry == "*") return true;
  if (const std::size_t colon = entry.rfind(':'); colon != std::string_view::npos && entry.find(':') == colon) {
    if (entry.substr(colon + 1) != std::to_string(target.port)) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty()) return false;
  const std::string_view host = target.host;
  if (host == entry) return true;
  return host.size() > entry.size() && host.ends_with(entry) && host[host.size() - entry.size() - 1] == '.';
}

}  // namespace

ProxyVariables read_proxy_variables() {
  return {variable({"https_proxy", "HTTPS_PROXY"}), variable({"http_proxy", "HTTP_PROXY"}),
          variable({"all_proxy", "ALL_PROXY"}), variable({"no_proxy", "NO_PROXY"})};
}

Proxy parse_proxy(const std::string& text) {
  std::string_view rest = text;
  const std::size_t scheme = rest.find("://");
  if (scheme != std::string_view::npos) {
    if (rest.substr(0, scheme) != "http") refuse("does not begin with http://: other kinds of proxy are not supported");
    rest.remove_prefix(scheme + 3);
  }
  Proxy proxy;
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    proxy.authorization = basic_authorization(rest.substr(0, at));
    rest.remove_prefix(at + 1);
  }
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  Url url;
  try {
    url = parse_url("http://" + std::string(rest));
  } catch (const Error&) {
    refuse("has no valid host and port");
  }
  if (!url.path.empty()) refuse("has a path");
  proxy.host = url.host;
  proxy.port = url.port;
  return proxy;
}

bool is_exempt(const Url& target, const std::string& no_proxy) {
  const std::string list = lower_case(no_proxy);
  constexpr std::string_view kSeparators = ", \t";
  std::size_t start = list.find_first_not_of(kSeparators);
  while (start != std::string::npos) {
    const std::size_t end = std::min(list.find_first_of(kSeparators, start), list.size());
    if (names_target(std::string_view(list).substr(start, end - start), target)) return true;
    start = list.find_first_not_of(kSeparators, end);
  }
  return false;
}

std::optional<Proxy> proxy_for(const Url& target, const std::optional<std::string>& given,
                               const ProxyVariables& variables) {
  if (given) return parse_proxy(*given);
  std::string address = target.https ? variables.https_proxy : variables.http_proxy;
  if (address.empty()) address = variables.all_proxy;
  if (address.empty() || is_this_machine(target.host) || is_exempt(target, variables.no_proxy)) return std::nullopt;
  return parse_proxy(address);
}

}  // namespace gpuassay
