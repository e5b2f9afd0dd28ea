#include "collector/http_session.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <string_view>

#include "collector/content_coding.h"

namespace gpuassay {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorStatus = boost::system::error_code;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadBufferBytes = 64U << 10U;
constexpr std::size_t kDrainBytes = 8U << 20U;  // what a refused client may still send before it is cut off
constexpr std::chrono::seconds kDrainTime{2};
constexpr unsigned kHttp11 = 11;

/// One of the requests that wait for an answer, also when making it fails.
class WaitingTurn {
 public:
  explicit WaitingTurn(std::size_t& waiting) : waiting_(waiting) { ++waiting_; }
  ~WaitingTurn() { --waiting_; }
  WaitingTurn(const WaitingTurn&) = delete;
  WaitingTurn& operator=(const WaitingTurn&) = delete;

 private:
  std::size_t& waiting_;
};

HttpReply too_busy() {
  HttpReply busy = problem_reply(503, "Too busy", "Too many requests are waiting; try again later.");
  busy.headers.emplace_back("Retry-After", "5");
  return busy;
}

asio::awaitable<std::string> next_piece(const std::function<std::string()>& next) { co_return next(); }

}  // namespace

HttpSession::HttpSession(tcp::socket&& socket, std::shared_ptr<asio::ssl::context> identity, std::string peer,
                         SessionShared& shared)
    : stream_(std::move(socket), std::move(identity)),
      peer_(std::move(peer)),
      shared_(shared),
      buffer_(kReadBufferBytes),
      header_deadline_(Clock::now() + shared.limits.header_time) {}

void HttpSession::end_if_idle() {
  if (idle_) stream_.tcp().cancel();
}

asio::awaitable<void> HttpSession::run() {
  try {
    if (!co_await handshake()) co_return;
    for (std::size_t served = 1; !shared_.stopping; ++served) {
      const bool last = served >= shared_.limits.requests_per_connection;
      if (!co_await serve_one(last)) break;
      header_deadline_ = Clock::now() + shared_.limits.header_time;
    }
    if (!shared_.stopping) co_await finish();
  } catch (const std::exception&) {  // out of memory for this request, say: only its connection ends
    close();
  }
}

/// Within the time of the first header: whoever takes long for the one has less for the other.
asio::awaitable<bool> HttpSession::handshake() {
  auto* const tls = stream_.tls();
  if (tls == nullptr) co_return true;
  stream_.tcp().expires_at(header_deadline_);
  auto [error] = co_await tls->async_handshake(asio::ssl::stream_base::server, kAsTuple);
  co_return !error;
}

/// False when the connection is to end.
asio::awaitable<bool> HttpSession::serve_one(bool last) {
  Parser parser;
  parser.header_limit(shared_.limits.header_bytes);
  parser.body_limit(shared_.limits.body_bytes);
  const ErrorStatus error = co_await read_request(parser);
  if (error) {
    // Its connection is closed already: nothing can be said, only counted. One that began no request was just idle.
    constexpr int kRequestTimeout = 408;
    if (error == beast::error::timeout && (!idle_ || buffer_.size() > 0)) shared_.refused(kRequestTimeout);
    auto reply = reply_to_failed_read(error, shared_.limits);
    if (!reply) co_return false;
    shared_.refused(reply->status);
    co_return co_await write(*std::move(reply), {});
  }
  ReplyFraming framing;
  framing.keep_alive = parser.get().keep_alive() && !last;
  framing.header_only = parser.get().method() == http::verb::head;
  framing.chunks = parser.get().version() >= kHttp11;
  HttpRequest request = to_request(parser.release());
  if (framing.header_only) request.method = "GET";
  const auto forwarded = request.headers.find("x-forwarded-for");
  request.peer = forwarded == request.headers.end() ? peer_ : shared_.proxies.client_of(peer_, forwarded->second);
  HttpReply reply = co_await answer(std::move(request));
  framing.keep_alive = framing.keep_alive && !shared_.stopping;
  co_return co_await write(std::move(reply), framing);
}

asio::awaitable<ErrorStatus> HttpSession::read_request(Parser& parser) {
  idle_ = true;
  stream_.tcp().expires_at(header_deadline_);
  auto [error, header_bytes] = co_await http::async_read_header(stream_, buffer_, parser, kAsTuple);
  if (error) co_return error;
  idle_ = false;
  stream_.tcp().expires_after(shared_.limits.body_time);
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(stream_, asio::buffer(kContinue), kAsTuple);
  }
  // A buffer that stays as small as a header's would be read into half a kilobyte at a time; one that stays large would
  // be held by every idle connection.
  if (!parser.is_done()) buffer_.reserve(kReadBufferBytes);
  auto [body_error, body_bytes] = co_await http::async_read(stream_, buffer_, parser, kAsTuple);
  buffer_.shrink_to_fit();
  co_return body_error;
}

asio::awaitable<HttpReply> HttpSession::answer(HttpRequest request) {
  if (shared_.waiting >= shared_.limits.waiting_requests) {
    HttpReply busy = too_busy();
    shared_.refused(busy.status);
    co_return busy;
  }
  const WaitingTurn turn(shared_.waiting);
  co_return co_await asio::co_spawn(shared_.workers, work(std::move(request)), asio::use_awaitable);
}

/// On a worker: unpacking and packing take time too.
asio::awaitable<HttpReply> HttpSession::work(HttpRequest request) const {
  co_return answer_with_codings(std::move(request), shared_.limits.decoded_bytes, shared_.handler, shared_.refused);
}

/// True when the connection may carry another request.
asio::awaitable<bool> HttpSession::write(HttpReply reply, ReplyFraming framing) {
  if (framing.header_only) co_return co_await write_header(reply, framing) && framing.keep_alive;
  if (reply.next) co_return co_await write_pieces(std::move(reply), framing);
  auto header = header_of(reply, framing);
  http::response<http::string_body> message(std::move(header.base()), std::move(reply.body));
  stream_.tcp().expires_after(shared_.limits.reply_time);
  auto [error, bytes] = co_await http::async_write(stream_, message, kAsTuple);
  co_return !error && framing.keep_alive;
}

asio::awaitable<bool> HttpSession::write_header(const HttpReply& reply, ReplyFraming framing) {
  auto header = header_of(reply, framing);
  http::response_serializer<http::empty_body> serializer(header);
  stream_.tcp().expires_after(shared_.limits.reply_time);
  auto [error, bytes] = co_await http::async_write_header(stream_, serializer, kAsTuple);
  co_return !error;
}

/// In pieces, each within the time of a reply: a reader that takes nothing is cut off.
asio::awaitable<bool> HttpSession::write_pieces(HttpReply reply, ReplyFraming framing) {
  framing.keep_alive = framing.keep_alive && framing.chunks;  // else the connection's end is the reply's
  if (!co_await write_header(reply, framing)) co_return false;
  std::string piece = std::move(reply.body);
  do {
    if (!piece.empty() && !co_await write_piece(piece, framing.chunks)) co_return false;
    piece = co_await asio::co_spawn(shared_.workers, next_piece(reply.next), asio::use_awaitable);
  } while (!piece.empty());
  if (!framing.chunks) co_return false;
  auto [error, bytes] = co_await asio::async_write(stream_, http::make_chunk_last(), kAsTuple);
  co_return !error && framing.keep_alive;
}

asio::awaitable<bool> HttpSession::write_piece(const std::string& piece, bool in_chunks) {
  stream_.tcp().expires_after(shared_.limits.reply_time);
  if (!in_chunks) {
    auto [error, bytes] = co_await asio::async_write(stream_, asio::buffer(piece), kAsTuple);
    co_return !error;
  }
  auto [error, bytes] = co_await asio::async_write(stream_, http::make_chunk(asio::buffer(piece)), kAsTuple);
  co_return !error;
}

/// Says that nothing more comes, and reads on for a while: closing with unread bytes would make the system discard the
/// last reply.
asio::awaitable<void> HttpSession::finish() {
  tcp::socket& socket = stream_.tcp().socket();
  stream_.tcp().expires_after(kDrainTime);
  if (auto* const tls = stream_.tls()) (void)co_await tls->async_shutdown(kAsTuple);
  ErrorStatus error;
  socket.shutdown(tcp::socket::shutdown_send, error);
  std::size_t drained = 0;
  while (!error && drained < kDrainBytes) {
    buffer_.clear();
    auto [read_error, bytes] = co_await stream_.tcp().async_read_some(buffer_.prepare(kReadBufferBytes), kAsTuple);
    error = read_error;
    drained += bytes;
  }
}

}  // namespace gpuassay
