#include "collector/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <exception>
#include <list>
#include <optional>

#include "core/error.h"

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

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

HttpRequest to_request(http::request<http::string_body> message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  request.path = target.substr(0, target.find('?'));
  if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
  for (const auto& field : message)
    request.headers.emplace(lower_case({field.name_string().data(), field.name_string().size()}),
                            std::string(field.value()));
  request.body = std::move(message.body());
  return request;
}

template <class Body>
http::response<Body> begin_message(const HttpReply& reply, bool keep_alive) {
  http::response<Body> message(static_cast<http::status>(reply.status), 11);
  message.set(http::field::content_type, reply.content_type);
  message.set("X-Content-Type-Options", "nosniff");
  message.set("Content-Security-Policy", "default-src 'none'");
  for (const auto& [name, value] : reply.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  return message;
}

http::response<http::string_body> to_message(HttpReply reply, bool keep_alive) {
  auto message = begin_message<http::string_body>(reply, keep_alive);
  message.body() = std::move(reply.body);
  message.prepare_payload();
  return message;
}

/// The answer to a request that could not be read; empty when the client is just gone.
std::optional<HttpReply> reply_to_failed_read(const ErrorStatus& error, const ServerLimits& limits) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return problem_reply(431, "Header too large", fmt::format("At most {} bytes.", limits.header_bytes));
  if (error == http::error::body_limit)
    return problem_reply(413, "Body too large", fmt::format("At most {} bytes.", limits.body_bytes));
  const bool broken_http = error.category() == http::make_error_code(http::error::bad_method).category() &&
                           error != http::error::end_of_stream && error != http::error::partial_message;
  if (broken_http) return problem_reply(400, "Not an HTTP request", "The request cannot be read: " + error.message());
  return std::nullopt;
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(const std::string& host, std::uint16_t port, Handler handler, const ServerLimits& limits)
      : handler_(std::move(handler)), limits_(limits), acceptor_(network_), signals_(network_), force_stop_(network_) {
    ErrorStatus error;
    const auto found = tcp::resolver(network_).resolve(host, std::to_string(port), tcp::resolver::passive, error);
    if (error) refuse(host, port, error);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) refuse(host, port, error);
    endpoint_ = acceptor_.local_endpoint();
  }

  [[nodiscard]] const tcp::endpoint& endpoint() const { return endpoint_; }

  void run() {
    asio::co_spawn(network_, accept_connections(), asio::detached);
    network_.run();
    worker_.join();
  }

  void stop() {
    asio::post(network_, [self = shared_from_this()] { self->begin_stop(); });
  }

  void stop_on_signals() {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.async_wait([this](const ErrorStatus& error, int) {
      if (!error) begin_stop();
    });
  }

 private:
  /// One open connection; lives in its coroutine, known to connections_ so that stop() can end it.
  struct Connection {
    explicit Connection(tcp::socket&& socket) : stream(std::move(socket)) {}
    beast::tcp_stream stream;
    beast::flat_buffer buffer{kReadBufferBytes};
    bool idle = true;  // waiting for the next request
  };

  [[noreturn]] static void refuse(const std::string& host, std::uint16_t port, const ErrorStatus& error) {
    throw Error(ErrorCode::network,
                fmt::format("cannot listen on {}:{}: {}; choose another --listen address", host, port, error.message()),
                error.value());
  }

  asio::awaitable<void> accept_connections() {
    asio::steady_timer pause(network_);
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(kAsTuple);
      if (!acceptor_.is_open()) co_return;
      if (error) {  // mostly no free file descriptor: wait until connections end
        pause.expires_after(std::chrono::milliseconds(100));
        co_await pause.async_wait(kAsTuple);
        continue;
      }
      if (connections_.size() >= limits_.connections) {
        shed(socket);
        continue;
      }
      connections_.emplace_back(std::move(socket));
      asio::co_spawn(network_, serve(std::prev(connections_.end())), asio::detached);
    }
  }

  /// One attempt to say 503 without waiting for the client.
  static void shed(tcp::socket& socket) {
    ErrorStatus ignored;
    socket.non_blocking(true, ignored);
    static constexpr std::string_view kReply =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    socket.send(asio::buffer(kReply), 0, ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  asio::awaitable<void> serve(std::list<Connection>::iterator connection) {
    bool broken = false;
    try {
      for (std::size_t served = 1; !stopping_; ++served) {
        const bool last = served >= limits_.requests_per_connection;
        if (!co_await serve_one(*connection, last)) break;
      }
    } catch (const std::exception&) {
      broken = true;  // out of memory for this request, say: only its connection ends
    }
    if (!stopping_ && !broken) co_await drain(*connection);
    connections_.erase(connection);
    if (stopping_ && connections_.empty()) force_stop_.cancel();
  }

  /// False when the connection is to end.
  asio::awaitable<bool> serve_one(Connection& connection, bool last) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(limits_.header_bytes);
    parser.body_limit(limits_.body_bytes);
    const ErrorStatus error = co_await read_request(connection, parser);
    if (error) {
      auto reply = reply_to_failed_read(error, limits_);
      if (reply) co_await write(connection, *std::move(reply), false);
      co_return false;
    }
    // An answer to HEAD has no body; ours may have one, so nothing may follow it.
    const bool keep_alive = parser.get().keep_alive() && !last && parser.get().method() != http::verb::head;
    HttpRequest request = to_request(parser.release());
    ErrorStatus gone;
    const tcp::endpoint peer = connection.stream.socket().remote_endpoint(gone);
    if (!gone) request.peer = peer.address().to_string();
    HttpReply reply = co_await answer(request);
    co_return co_await write(connection, std::move(reply), keep_alive && !stopping_);
  }

  asio::awaitable<ErrorStatus> read_request(Connection& connection, http::request_parser<http::string_body>& parser) {
    connection.idle = true;
    connection.stream.expires_after(limits_.header_time);
    auto [error, header_bytes] =
        co_await http::async_read_header(connection.stream, connection.buffer, parser, kAsTuple);
    if (error) co_return error;
    connection.idle = false;
    connection.stream.expires_after(limits_.body_time);
    if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(connection.stream, asio::buffer(kContinue), kAsTuple);
    }
    auto [body_error, body_bytes] = co_await http::async_read(connection.stream, connection.buffer, parser, kAsTuple);
    co_return body_error;
  }

  asio::awaitable<HttpReply> answer(const HttpRequest& request) {
    if (waiting_ >= limits_.waiting_requests) {
      HttpReply busy = problem_reply(503, "Too busy", "Too many requests are waiting; try again later.");
      busy.headers.emplace_back("Retry-After", "5");
      co_return busy;
    }
    ++waiting_;
    HttpReply reply = co_await asio::co_spawn(worker_, call_handler(request), asio::use_awaitable);
    --waiting_;
    co_return reply;
  }

  asio::awaitable<HttpReply> call_handler(const HttpRequest& request) { co_return handler_(request); }

  /// True when the connection may carry another request.
  asio::awaitable<bool> write(Connection& connection, HttpReply reply, bool keep_alive) {
    if (reply.next) co_return co_await write_long(connection, std::move(reply), keep_alive);
    auto message = to_message(std::move(reply), keep_alive);
    connection.stream.expires_after(limits_.reply_time);
    auto [error, bytes] = co_await http::async_write(connection.stream, message, kAsTuple);
    co_return !error && keep_alive;
  }

  /// In chunks, each within the time of a reply: a reader that takes nothing is cut off.
  asio::awaitable<bool> write_long(Connection& connection, HttpReply reply, bool keep_alive) {
    auto message = begin_message<http::empty_body>(reply, keep_alive);
    message.chunked(true);
    http::response_serializer<http::empty_body> serializer(message);
    connection.stream.expires_after(limits_.reply_time);
    auto [error, header_bytes] = co_await http::async_write_header(connection.stream, serializer, kAsTuple);
    std::string piece = std::move(reply.body);
    while (!error) {
      if (!piece.empty()) {
        connection.stream.expires_after(limits_.reply_time);
        auto [chunk_error, bytes] =
            co_await asio::async_write(connection.stream, http::make_chunk(asio::buffer(piece)), kAsTuple);
        if (chunk_error) co_return false;
      }
      piece = co_await asio::co_spawn(worker_, call_next(reply.next), asio::use_awaitable);
      if (piece.empty()) break;
    }
    if (error) co_return false;
    auto [last_error, last_bytes] = co_await asio::async_write(connection.stream, http::make_chunk_last(), kAsTuple);
    co_return !last_error && keep_alive;
  }

  static asio::awaitable<std::string> call_next(const std::function<std::string()>& next) { co_return next(); }

  /// Reads on for a while after the last reply: closing with unread bytes would make the system discard the reply.
  static asio::awaitable<void> drain(Connection& connection) {
    ErrorStatus error;
    connection.stream.socket().shutdown(tcp::socket::shutdown_send, error);
    connection.stream.expires_after(kDrainTime);
    std::size_t drained = 0;
    while (!error && drained < kDrainBytes) {
      connection.buffer.clear();
      auto [read_error, bytes] =
          co_await connection.stream.async_read_some(connection.buffer.prepare(kReadBufferBytes), kAsTuple);
      error = read_error;
      drained += bytes;
    }
  }

  void begin_stop() {
    if (stopping_) return;
    stopping_ = true;
    ErrorStatus ignored;
    acceptor_.close(ignored);
    signals_.cancel(ignored);
    for (Connection& connection : connections_)
      if (connection.idle) connection.stream.cancel();
    if (connections_.empty()) return;
    force_stop_.expires_after(limits_.stop_time);
    force_stop_.async_wait([this](const ErrorStatus& error) {
      if (error) return;
      for (Connection& connection : connections_) connection.stream.close();
    });
  }

  Handler handler_;
  const ServerLimits limits_;
  asio::io_context network_{1};
  asio::thread_pool worker_{1};
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
  asio::steady_timer force_stop_;
  std::list<Connection> connections_;
  std::size_t waiting_ = 0;
  bool stopping_ = false;
  tcp::endpoint endpoint_;
};

Server::Server(const std::string& host, std::uint16_t port, Handler handler, const ServerLimits& limits)
    : impl_(std::make_shared<Impl>(host, port, std::move(handler), limits)) {}
Server::~Server() = default;

std::uint16_t Server::port() const { return impl_->endpoint().port(); }

std::string Server::address() const {
  const auto endpoint = impl_->endpoint();
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

void Server::run() { impl_->run(); }
void Server::stop() { impl_->stop(); }
void Server::stop_on_signals() { impl_->stop_on_signals(); }

}  // namespace gpuassay
