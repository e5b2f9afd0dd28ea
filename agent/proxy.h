// Does a request go through a proxy, and through which one?
#pragma once

#include <optional>
#include <string>

#include "agent/url.h"

namespace gpuassay {

/// An HTTP proxy. Its credentials are secret: they go to the proxy and nowhere else.
struct Proxy {
  std::string host;  ///< as in Url
  std::uint16_t port = 80;
  std::string authorization;  ///< value of Proxy-Authorization; empty when the address holds no user
};

/// What the environment says of proxies, each as it stands there; empty when unset.
struct ProxyVariables {
  std::string https_proxy, http_proxy, all_proxy, no_proxy;
};

/// The variables https_proxy, http_proxy, all_proxy and no_proxy, else the same in upper case.
ProxyVariables read_proxy_variables();

/// Takes "http://[USER[:PASSWORD]@]HOST[:PORT]", with or without the scheme; the port is 80 when not given. Throws
/// Error{usage} without repeating the text, which may hold a password, for anything else.
Proxy parse_proxy(const std::string& text);

/// True when `no_proxy` names the target: entries separated by commas or spaces, "*" for everything, else a host (with
/// ":port" for this port alone) that is the target's or whose end it is after a dot; a leading dot changes nothing.
bool is_exempt(const Url& target, const std::string& no_proxy);

/// The proxy for `target`: the one given with --proxy, always; else the environment's for the target's scheme, unless
/// no_proxy names the target or the target is this very machine, which is another one seen from the proxy.
std::optional<Proxy> proxy_for(const Url& target, const std::optional<std::string>& given,
                               const ProxyVariables& variables);

}  // namespace gpuassay
