#include "collector/beast_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

#include "core/ascii.h"

namespace gpuassay {
namespace {

namespace http = boost::beast::http;

/// Headers whose lines are one list (RFC 9110 section 5.3), and of which we need all of it.
constexpr std::array<std::string_view, 3> kLists{"accept-encoding", "content-encoding", "x-forwarded-for"};

void add_header(HttpRequest& request, std::string name, std::string value) {
  const bool is_list = std::find(kLists.begin(), kLists.end(), name) != kLists.end();
  const auto [place, is_new] = request.headers.emplace(std::move(name), value);
  if (!is_new && is_list) place->second += ", " + value;
}

/// Whoever answers GET answers HEAD: the server makes the one of the other.
std::string with_head(const std::string& allowed) {
  return allowed.find("GET") == std::string::npos ? allowed : allowed + ", HEAD";
}

/// "http://host:port/path" is what a client sends to a proxy, and what a server has to take too (RFC 9112
/// section 3.2.2): which host was meant is all the same here.
std::string_view without_authority(std::string_view target) {
  const std::string scheme = lower_case(target.substr(0, std::string_view("https://").size()));
  for (const std::string_view known : {"http://", "https://"}) {
    if (!scheme.starts_with(known)) continue;
    const auto end = target.find_first_of("/?", known.size());
    if (end == std::string_view::npos) return "/";
    return target.substr(end);
  }
  return target;
}

/// IMF-fixdate, RFC 9110 section 5.6.7.
std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 40> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

}  // namespace

HttpRequest to_request(http::request<http::string_body> message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string_view whole_target(message.target().data(), message.target().size());
  const std::string_view target = without_authority(whole_target);
  request.path = target.substr(0, target.find('?'));
  if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
  for (const auto& field : message)
    add_header(request, lower_case({field.name_string().data(), field.name_string().size()}),
               std::string(field.value()));
  request.body = std::move(message.body());
  return request;
}

http::response<http::empty_body> header_of(const HttpReply& reply, const ReplyFraming& framing) {
  http::response<http::empty_body> message(static_cast<http::status>(reply.status), 11);
  message.set(http::field::date, date_now());
  message.set(http::field::content_type, reply.content_type);
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Content-Security-Policy", "default-src 'none'");
  for (const auto& [name, value] : reply.headers) message.set(name, name == "Allow" ? with_head(value) : value);
  message.keep_alive(framing.keep_alive);
  if (!reply.next)
    message.content_length(reply.body.size());
  else if (framing.chunks)
    message.chunked(true);
  return message;
}

std::optional<HttpReply> reply_to_failed_read(const boost::system::error_code& error, const ServerLimits& limits) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return problem_reply(431, "Header too large", fmt::format("At most {} bytes.", limits.header_bytes));
  if (error == http::error::body_limit)
    return problem_reply(413, "Body too large", fmt::format("At most {} bytes.", limits.body_bytes));
  const bool broken_http = error.category() == http::make_error_code(http::error::bad_method).category() &&
                           error != http::error::end_of_stream && error != http::error::partial_message;
  if (broken_http) return problem_reply(400, "Not an HTTP request", "The request cannot be read: " + error.message());
  return std::nullopt;
}

}  // namespace gpuassay
