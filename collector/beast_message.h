// How do the HTTP library's messages become ours, and ours its?
#pragma once

#include <boost/beast/http.hpp>
#include <optional>
#include <string>

#include "collector/http_message.h"
#include "collector/server_limits.h"

namespace gpuassay {

HttpRequest to_request(boost::beast::http::request<boost::beast::http::string_body> message);

/// How the reply goes onto the wire.
struct ReplyFraming {
  bool keep_alive = false;
  bool header_only = false;  ///< the answer to HEAD
  bool chunks = true;        ///< the client knows them: HTTP/1.1
};

/// The header of a reply: with its length, or for a streamed one in chunks, or to the end of the connection.
boost::beast::http::response<boost::beast::http::empty_body> header_of(const HttpReply& reply,
                                                                       const ReplyFraming& framing);

/// The answer to a request that could not be read; empty when the client is just gone.
std::optional<HttpReply> reply_to_failed_read(const boost::system::error_code& error, const ServerLimits& limits);

}  // namespace gpuassay
