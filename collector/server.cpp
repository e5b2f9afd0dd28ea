#include "collector/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <exception>
#include <list>

#include "collector/http_session.h"
#include "collector/network_shares.h"
#include "collector/rate_limit.h"
#include "collector/tls_identity.h"
#include "core/error.h"

namespace gpuassay {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using ErrorStatus = boost::system::error_code;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMostTurnedAway = 64;  // clients that still hear 503; those beyond are just cut off
constexpr std::chrono::seconds kTurnAwayTime{2};

[[noreturn]] void refuse(const ServerOptions& options, const ErrorStatus& error) {
  throw Error(ErrorCode::network,
              fmt::format("cannot listen on {}:{}: {}; choose another --listen address", options.host, options.port,
                          error.message()),
              error.value());
}

/// Canonical; empty when the client has gone already.
std::string address_of(const tcp::socket& socket) {
  ErrorStatus error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  return error ? std::string() : canonical_address(peer.address().to_string()).value_or("");
}

/// The same for all of them, whatever they would have asked.
std::string turned_away_reply() {
  const HttpReply reply = problem_reply(503, "Too busy", "Too many connections are open; try again later.");
  return fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      reply.content_type, reply.body.size(), reply.body);
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(const ServerOptions& options, Handler handler)
      : options_(options),
        shared_{std::move(handler),
                options.refused ? options.refused : [](int) {},
                options.limits,
                TrustedProxies(options.trusted_proxies),
                asio::thread_pool(std::max<std::size_t>(1, options.limits.workers)),
                asio::thread_pool(std::max<std::size_t>(1, options.limits.long_replies))},
        shares_(options.limits.connections_per_network) {
    if (options_.tls) identity_ = read_tls_identity(*options_.tls);
    ErrorStatus error;
    const auto found =
        tcp::resolver(network_).resolve(options.host, std::to_string(options.port), tcp::resolver::passive, error);
    if (error) refuse(options, error);
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) refuse(options, error);
    endpoint_ = acceptor_.local_endpoint();
  }

  [[nodiscard]] const tcp::endpoint& endpoint() const { return endpoint_; }

  void run() {
    asio::co_spawn(network_, accept_connections(), asio::detached);
    network_.run();
    shared_.workers.join();
    shared_.makers.join();
  }

  void stop() {
    asio::post(network_, [self = shared_from_this()] { self->begin_stop(); });
  }

  void reload_certificate() {
    asio::post(network_, [self = shared_from_this()] { self->read_certificate(); });
  }

  void handle_signals() {
    end_signals_.add(SIGTERM);
    end_signals_.add(SIGINT);
    end_signals_.async_wait([this](const ErrorStatus& error, int) {
      if (!error) begin_stop();
    });
    reload_signal_.add(SIGHUP);  // always: its usual effect would end the collector
    wait_for_reload();
  }

 private:
  /// One open connection; lives as long as its coroutine, known to connections_ so that stop() can end it.
  struct Connection {
    Connection(tcp::socket&& socket, std::shared_ptr<asio::ssl::context> identity, const std::string& peer,
               SessionShared& shared, std::string of_network)
        : session(std::move(socket), std::move(identity), peer, shared), network(std::move(of_network)) {}
    HttpSession session;
    std::string network;  // empty: not counted
  };

  asio::awaitable<void> accept_connections() {
    asio::steady_timer pause(network_);
    while (acceptor_.is_open()) {
      auto [error, socket] = co_await acceptor_.async_accept(kAsTuple);
      if (!acceptor_.is_open()) co_return;
      if (error) {  // mostly no free file descriptor: wait until connections end
        co_await wait_a_little(pause);
        continue;
      }
      bool is_admitted = false;
      try {
        admit(std::move(socket));
        is_admitted = true;
      } catch (const std::exception&) {
        is_admitted = false;  // out of memory, say: this connection is closed
      }
      if (!is_admitted) co_await wait_a_little(pause);
    }
  }

  static asio::awaitable<void> wait_a_little(asio::steady_timer& pause) {
    pause.expires_after(std::chrono::milliseconds(100));
    co_await pause.async_wait(kAsTuple);
  }

  void admit(tcp::socket socket) {
    const std::string peer = address_of(socket);
    // All clients of a trusted proxy come from its address; keeping them apart is the proxy's work.
    const std::string network = shared_.proxies.include(peer) ? std::string() : network_of(peer);
    if (connections_.size() >= options_.limits.connections || (!network.empty() && !shares_.enter(network))) {
      turn_away(std::move(socket));
      return;
    }
    ErrorStatus ignored;
    socket.set_option(tcp::no_delay(true), ignored);  // replies in pieces would wait for acknowledgements
    bool is_listed = false;
    try {
      connections_.emplace_back(std::move(socket), identity_, peer, shared_, network);
      is_listed = true;
      asio::co_spawn(network_, serve(std::prev(connections_.end())), asio::detached);
    } catch (...) {  // nobody else would give back its place
      if (is_listed) connections_.pop_back();
      if (!network.empty()) shares_.leave(network);
      throw;
    }
  }

  asio::awaitable<void> serve(std::list<Connection>::iterator connection) {
    co_await connection->session.run();
    if (!connection->network.empty()) shares_.leave(connection->network);
    connections_.erase(connection);
    if (shared_.stopping && connections_.empty()) force_stop_.cancel();
  }

  /// A 503 without reading the request, for a few at a time. With TLS it would take a handshake, which is what there is
  /// no room for: these are cut off.
  void turn_away(tcp::socket socket) {
    shared_.refused(503);
    if (options_.tls || turned_away_.size() >= kMostTurnedAway) return;
    turned_away_.emplace_back(std::move(socket));
    asio::co_spawn(network_, say_no(std::prev(turned_away_.end())), asio::detached);
  }

  /// Reads on until the client has heard it: closing with unread bytes would make the system discard the reply.
  asio::awaitable<void> say_no(std::list<beast::tcp_stream>::iterator client) {
    static const std::string kReply = turned_away_reply();
    client->expires_after(kTurnAwayTime);
    auto [error, sent] = co_await asio::async_write(*client, asio::buffer(kReply), kAsTuple);
    if (!error) client->socket().shutdown(tcp::socket::shutdown_send, error);
    std::array<char, 4096> unread{};
    while (!error) {
      auto [read_error, bytes] = co_await client->async_read_some(asio::buffer(unread), kAsTuple);
      error = read_error;
    }
    turned_away_.erase(client);
  }

  void wait_for_reload() {
    reload_signal_.async_wait([this](const ErrorStatus& error, int) {
      if (error) return;
      read_certificate();
      wait_for_reload();
    });
  }

  void read_certificate() {
    if (!options_.tls) {
      if (options_.log) options_.log("SIGHUP: there is no certificate to be read again");
      return;
    }
    std::string said = "the certificate was read again";
    try {
      identity_ = read_tls_identity(*options_.tls);
    } catch (const std::exception& error) {
      said = fmt::format("the former certificate stays: {}", error.what());
    }
    if (options_.log) options_.log(said);
  }

  void begin_stop() {
    if (shared_.stopping) return;
    shared_.stopping = true;
    ErrorStatus ignored;
    acceptor_.close(ignored);
    end_signals_.cancel(ignored);
    reload_signal_.cancel(ignored);
    for (beast::tcp_stream& client : turned_away_) client.cancel();
    for (Connection& connection : connections_) connection.session.end_if_idle();
    if (connections_.empty()) return;
    force_stop_.expires_after(options_.limits.stop_time);
    force_stop_.async_wait([this](const ErrorStatus& error) {
      if (error) return;
      for (Connection& connection : connections_) connection.session.close();
    });
  }

  const ServerOptions options_;
  SessionShared shared_;
  NetworkShares shares_;
  std::shared_ptr<asio::ssl::context> identity_;  // null without TLS
  asio::io_context network_{1};
  tcp::acceptor acceptor_{network_};
  asio::signal_set end_signals_{network_}, reload_signal_{network_};
  asio::steady_timer force_stop_{network_};
  std::list<Connection> connections_;
  std::list<beast::tcp_stream> turned_away_;
  tcp::endpoint endpoint_;
};

Server::Server(const ServerOptions& options, Handler handler)
    : impl_(std::make_shared<Impl>(options, std::move(handler))) {}
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
void Server::reload_certificate() { impl_->reload_certificate(); }
void Server::handle_signals() { impl_->handle_signals(); }

}  // namespace gpuassay
