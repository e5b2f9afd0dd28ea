#include "collector/http_session.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
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

/// One of those that are counted, also when it fails.
class Turn {
 public:
  explicit Turn(std::size_t& taken) : taken_(taken) { ++taken_; }
  ~Turn() { --taken_; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::size_t& taken_;
};

/// What the thread that makes a long reply and the network's thread tell each other.
struct Making {
  explicit Making(const asio::any_io_executor& network) : pause(network) {}
  std::atomic<bool> is_wanted = true;
  bool is_over = false;  // of the network's thread alone, as is the timer
  asio::steady_timer pause;
};

/// Looks now and then until the reply is made. A client that closes its connection sends nothing that would wake
/// anyone.
asio::awaitable<void> watch(std::shared_ptr<Making> making, std::chrono::milliseconds pause,
                            std::function<bool()> is_wanted) {
  while (!making->is_over) {
    if (!is_wanted()) making->is_wanted = false;
    making->pause.expires_after(pause);
    co_await making->pause.async_wait(kAsTuple);
  }
}

/// The answer to a body for which there is no room; nothing of the library's own says this.
ErrorStatus no_room() { return make_error_code(boost::system::errc::not_enough_memory); }

/// RFC 9112 section 3.2.
bool has_one_host(const http::request<http::string_body>& request) {
  const auto hosts = request.count(http::field::host);
  return hosts == 1 || (hosts == 0 && request.version() < kHttp11);
}

HttpReply too_busy(const char* detail) {
  HttpReply busy = problem_reply(503, "Too busy", detail);
  busy.headers.emplace_back("Retry-After", "5");
  return busy;
}

asio::awaitable<HttpReply> make_long(std::function<HttpReply(const HttpReply::StillWanted&)> make,
                                     std::shared_ptr<Making> making) {
  co_return make([&] { return making->is_wanted.load(); });
}

asio::awaitable<std::string> next_piece(const std::function<std::string()>& next) { co_return next(); }

}  // namespace

bool HeldBody::grow_to(std::size_t bytes) {
  if (bytes <= bytes_) return true;
  if (shared_.body_bytes + (bytes - bytes_) > shared_.limits.all_body_bytes) return false;
  shared_.body_bytes += bytes - bytes_;
  bytes_ = bytes;
  return true;
}

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
  constexpr int kHandshakeFailed = 525;
  // One that closes without a word only looked whether anybody listens.
  if (error && error != asio::error::eof && !shared_.stopping) shared_.refused(kHandshakeFailed);
  co_return !error;
}

/// False when the connection is to end.
asio::awaitable<bool> HttpSession::serve_one(bool last) {
  Parser parser;
  parser.header_limit(shared_.limits.header_bytes);
  parser.body_limit(shared_.limits.body_bytes);
  HeldBody held(shared_);
  const ErrorStatus error = co_await read_request(parser, held);
  if (error) co_return co_await refuse_unread(error);
  if (!has_one_host(parser.get())) {
    HttpReply reply = problem_reply(400, "Not an HTTP request", "A request of HTTP/1.1 has one Host header.");
    shared_.refused(reply.status);
    co_return co_await write(std::move(reply), {});
  }
  ReplyFraming framing;
  framing.keep_alive = parser.get().keep_alive() && !last;
  framing.header_only = parser.get().method() == http::verb::head;
  framing.chunks = parser.get().version() >= kHttp11;
  HttpRequest request = to_request(parser.release());
  request.is_head = framing.header_only;
  if (framing.header_only) request.method = "GET";
  const auto forwarded = request.headers.find("x-forwarded-for");
  request.peer = forwarded == request.headers.end() ? peer_ : shared_.proxies.client_of(peer_, forwarded->second);
  HttpReply reply = co_await answer(std::move(request));
  if (reply.make) reply = co_await make(std::move(reply));
  framing.keep_alive = framing.keep_alive && !shared_.stopping;
  co_return co_await write(std::move(reply), framing);
}

/// The answer to a request that was not read to its end, where there is one.
asio::awaitable<bool> HttpSession::refuse_unread(const ErrorStatus& error) {
  constexpr int kRequestTimeout = 408;
  constexpr int kClientClosed = 499;
  auto reply = error == no_room() ? std::optional(too_busy("Too much is being sent at once; try again later."))
                                  : reply_to_failed_read(error, shared_.limits);
  if (reply) {
    shared_.refused(reply->status);
    co_return co_await write(*std::move(reply), {});
  }
  // Its connection is closed already: nothing can be said, only counted. One that began no request was just idle.
  const bool has_begun = !idle_ || buffer_.size() > 0;
  if (has_begun && !shared_.stopping) shared_.refused(error == beast::error::timeout ? kRequestTimeout : kClientClosed);
  co_return false;
}

asio::awaitable<ErrorStatus> HttpSession::read_request(Parser& parser, HeldBody& held) {
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
  const ErrorStatus body_error = co_await read_body(parser, held);
  buffer_.shrink_to_fit();
  co_return body_error;
}

/// Some at a time, as each piece has to find room among all that is being received.
asio::awaitable<ErrorStatus> HttpSession::read_body(Parser& parser, HeldBody& held) {
  while (!parser.is_done()) {
    auto [error, bytes] = co_await http::async_read_some(stream_, buffer_, parser, kAsTuple);
    if (error) co_return error;
    if (!held.grow_to(parser.get().body().size())) co_return no_room();
  }
  co_return ErrorStatus();
}

asio::awaitable<HttpReply> HttpSession::answer(HttpRequest request) {
  if (shared_.waiting >= shared_.limits.waiting_requests) {
    HttpReply busy = too_busy("Too many requests are waiting; try again later.");
    shared_.refused(busy.status);
    co_return busy;
  }
  const Turn turn(shared_.waiting);
  co_return co_await asio::co_spawn(shared_.workers, work(std::move(request)), asio::use_awaitable);
}

/// On a worker: unpacking and packing take time too.
asio::awaitable<HttpReply> HttpSession::work(HttpRequest request) const {
  co_return answer_with_codings(std::move(request), shared_.limits.decoded_bytes, shared_.handler, shared_.refused);
}

/// On a thread for such, so that uploads do not wait behind it.
asio::awaitable<HttpReply> HttpSession::make(HttpReply reply) {
  if (shared_.in_the_making >= shared_.limits.long_replies) {
    HttpReply busy = too_busy("Other exports are being made; try again later.");
    shared_.refused(busy.status);
    co_return busy;
  }
  const Turn turn(shared_.in_the_making);
  const auto making = std::make_shared<Making>(stream_.get_executor());
  // This object is there until the making is over.
  asio::co_spawn(stream_.get_executor(), watch(making, shared_.limits.look_time, [this] { return is_client_there(); }),
                 asio::detached);
  // Awaited so that it does not throw: the watch must hear of the end.
  auto [problem, made] = co_await asio::co_spawn(shared_.makers, make_long(std::move(reply.make), making), kAsTuple);
  making->is_over = true;
  making->pause.cancel();
  if (problem) std::rethrow_exception(problem);
  co_return std::move(made);
}

/// One that says that it sends nothing more counts as gone: that is all that can be seen of one that has closed.
bool HttpSession::is_client_there() {
  tcp::socket& socket = stream_.tcp().socket();
  if (shared_.stopping || !socket.is_open()) return false;
  pollfd ended{socket.native_handle(), POLLRDHUP, 0};
  return ::poll(&ended, 1, 0) <= 0;
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

/// In pieces, each within the time of a reply, and all within a longer one: a reader that takes nothing, or next to
/// nothing, is cut off.
asio::awaitable<bool> HttpSession::write_pieces(HttpReply reply, ReplyFraming framing) {
  framing.keep_alive = framing.keep_alive && framing.chunks;  // else the connection's end is the reply's
  if (!co_await write_header(reply, framing)) co_return false;
  const auto deadline = Clock::now() + shared_.limits.stream_time;
  std::string piece = std::move(reply.body);
  do {
    if (!piece.empty() && !co_await write_piece(piece, framing.chunks, deadline)) co_return false;
    piece = co_await asio::co_spawn(shared_.workers, next_piece(reply.next), asio::use_awaitable);
  } while (!piece.empty());
  if (!framing.chunks) co_return false;
  auto [error, bytes] = co_await asio::async_write(stream_, http::make_chunk_last(), kAsTuple);
  co_return !error && framing.keep_alive;
}

asio::awaitable<bool> HttpSession::write_piece(const std::string& piece, bool in_chunks, Clock::time_point deadline) {
  stream_.tcp().expires_at(std::min<Clock::time_point>(deadline, Clock::now() + shared_.limits.reply_time));
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
