// Which content codings (RFC 9110 section 8.4) do a request and its reply have? No HTTP library in here.
//
// The signature of an upload is over the decoded bytes: a body may be packed, unpacked and packed anew on its way, and
// the collector stores, hashes and gives back what was signed.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "collector/http_message.h"

namespace gpuassay {

enum class Coding { identity, gzip, none_acceptable };

/// What a client accepts. `may_be_plain`: identity is not excluded.
struct AcceptedCodings {
  Coding preferred = Coding::identity;
  bool may_be_plain = true;
};

/// Reads an Accept-Encoding header: gzip is preferred unless identity has the higher quality; without the header, only
/// identity is. Entries that cannot be read count as not accepted.
AcceptedCodings accepted_codings(const std::optional<std::string_view>& accept_encoding);

/// Unpacks a body with Content-Encoding gzip and takes the header away. Otherwise the reply to give: 415 for another
/// coding, 400 for a broken body, 413 beyond `most_bytes`.
std::optional<HttpReply> decode_body(HttpRequest& request, std::size_t most_bytes);

/// Packs replies above 1 KiB, streamed ones piece by piece, those that are yet to be made when they are, when the
/// client prefers that.
HttpReply encode_reply(HttpReply reply, const AcceptedCodings& accepted);

/// The reply of `handler` to the decoded request, encoded. `refused` is told the status of replies that are not the
/// handler's.
HttpReply answer_with_codings(HttpRequest request, std::size_t most_bytes,
                              const std::function<HttpReply(const HttpRequest&)>& handler,
                              const std::function<void(int)>& refused);

}  // namespace gpuassay
