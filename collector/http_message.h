// What does a route see of a request, and what does it give back? Independent of the HTTP library.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gpuassay {

struct HttpRequest {
  std::string method;
  std::string path;                            ///< without the query
  std::map<std::string, std::string> headers;  ///< names in lower case; of repeated ones the first, of lists all
  std::string body;                            ///< decoded: what an uploader signed
  std::string query = {};                      ///< after the '?', still encoded
  std::string peer = {};                       ///< IP address of the client, as the server or a trusted proxy sees it
  bool is_head = false;                        ///< only the header of the reply is wanted; `method` says GET
};

/// Of a name in lower case.
std::optional<std::string> header_of(const HttpRequest& request, const std::string& name);

struct HttpReply {
  /// Whether the client and the server are still there to take what is being made. From any thread.
  using StillWanted = std::function<bool()>;

  int status = 500;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  /// Of a long reply: gives the rest after `body` in pieces, an empty one at the end. Called by one thread at a time.
  std::function<std::string()> next = {};
  /// Of a reply that takes long to make: makes it, on a thread for such, and may give up when it is no longer wanted.
  /// `status` and `content_type` are then those that it will have if all goes well.
  std::function<HttpReply(const StillWanted&)> make = {};
  std::string outcome = {};  ///< what became of an upload, for the log alone
};

/// An RFC 9457 problem document.
HttpReply problem_reply(int status, const std::string& title, const std::string& detail,
                        const std::vector<std::string>& violations = {});

}  // namespace gpuassay
