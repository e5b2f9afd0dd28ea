// How is one HTTP request made so that neither the network nor the server can hold us up or fill our memory?
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/proxy.h"
#include "agent/url.h"

namespace gpuassay {

/// Both are deadlines, not pauses: a server that sends a byte now and then gains nothing.
struct HttpLimits {
  std::chrono::milliseconds connect_time{5'000};  ///< from the start to a connection, name lookup and tunnel included
  std::chrono::milliseconds total_time{30'000};   ///< from the start to the whole answer
  std::size_t answer_bytes = std::size_t{64} << 10U;
};

struct HttpCall {
  std::string method;
  Url url;
  std::string target;  ///< path sent to the server; begins with "/"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  HttpLimits limits;
  std::vector<std::string> ca_bundles;  ///< for https: the first readable file holds the trusted authorities
  std::optional<Proxy> proxy;           ///< https goes through a tunnel (CONNECT), so that no proxy can read it
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// The usual places of the trusted certificate authorities; only `ssl_cert_file` (the environment variable
/// SSL_CERT_FILE) when it is given.
std::vector<std::string> ca_bundle_places(const std::optional<std::string>& ssl_cert_file);

/// Makes the request over one new connection. Certificates are always verified; redirects are not followed. Throws
/// Error{network} with a one-line reason when no whole answer has come within the limits.
HttpAnswer http_exchange(const HttpCall& call);

}  // namespace gpuassay
