// How is one HTTP request made so that neither the network nor the server can hold us up or fill our memory?
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// What a download brought; the bytes themselves are thrown away as they come.
struct HttpDownload {
  int status = 0;
  std::int64_t bytes = 0;                ///< of the body; of a chunked one with the marks between its chunks
  std::chrono::nanoseconds receiving{};  ///< from the request's being sent to the last byte, or to the end of the time
  bool out_of_time = false;              ///< the server had more, or said nothing more
};

/// GETs `call` over one new connection and receives `most_bytes` of the body, or less when it ends or `most_time` has
/// passed since the request; until the body begins `call.limits` hold. Throws Error{network} as http_exchange does, and
/// when the connection ends before the length that the server promised.
HttpDownload http_download(const HttpCall& call, std::int64_t most_bytes, std::chrono::milliseconds most_time);

}  // namespace gpuassay
