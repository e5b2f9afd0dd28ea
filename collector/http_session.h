// How does one connection's request become a reply, and then the next? Every step has a deadline.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "collector/beast_message.h"
#include "collector/client_address.h"
#include "collector/client_stream.h"
#include "collector/server.h"

namespace gpuassay {

/// What all connections have in common. The network's thread alone changes it; `handler` and `refused` are called by
/// the workers too.
struct SessionShared {
  Server::Handler handler;
  std::function<void(int)> refused;
  ServerLimits limits;
  TrustedProxies proxies;
  boost::asio::thread_pool workers;
  boost::asio::thread_pool makers;  ///< of long replies
  std::size_t waiting = 0;          ///< requests that were read and not answered
  std::size_t in_the_making = 0;    ///< long replies
  std::size_t body_bytes = 0;       ///< of requests that are not answered
  bool stopping = false;
};

/// What one request holds of the bytes that all of them may.
class HeldBody {
 public:
  explicit HeldBody(SessionShared& shared) : shared_(shared) {}
  ~HeldBody() { shared_.body_bytes -= bytes_; }
  HeldBody(const HeldBody&) = delete;
  HeldBody& operator=(const HeldBody&) = delete;

  /// False when there is no room for so many.
  [[nodiscard]] bool grow_to(std::size_t bytes);

 private:
  SessionShared& shared_;
  std::size_t bytes_ = 0;
};

/// Its functions belong to the network's thread.
class HttpSession {
 public:
  /// `peer` is the address at the other end, in canonical form. `shared` must outlive this.
  HttpSession(boost::asio::ip::tcp::socket&& socket, std::shared_ptr<boost::asio::ssl::context> identity,
              std::string peer, SessionShared& shared);

  /// Serves until either side ends the connection. Does not throw.
  boost::asio::awaitable<void> run();
  /// Ends it unless a request is in progress.
  void end_if_idle();
  void close() { stream_.tcp().close(); }

 private:
  using Clock = std::chrono::steady_clock;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  boost::asio::awaitable<bool> handshake();
  boost::asio::awaitable<bool> serve_one(bool last);
  boost::asio::awaitable<boost::system::error_code> read_request(Parser& parser, HeldBody& held);
  boost::asio::awaitable<boost::system::error_code> read_body(Parser& parser, HeldBody& held);
  boost::asio::awaitable<bool> refuse_unread(const boost::system::error_code& error);
  boost::asio::awaitable<HttpReply> answer(HttpRequest request);
  boost::asio::awaitable<HttpReply> work(HttpRequest request) const;
  boost::asio::awaitable<HttpReply> make(HttpReply reply);
  [[nodiscard]] bool is_client_there();
  boost::asio::awaitable<bool> write(HttpReply reply, ReplyFraming framing);
  boost::asio::awaitable<bool> write_header(const HttpReply& reply, ReplyFraming framing);
  boost::asio::awaitable<bool> write_pieces(HttpReply reply, ReplyFraming framing);
  boost::asio::awaitable<bool> write_piece(const std::string& piece, bool in_chunks, Clock::time_point deadline);
  boost::asio::awaitable<void> finish();

  ClientStream stream_;
  std::string peer_;
  SessionShared& shared_;
  boost::beast::flat_buffer buffer_;
  Clock::time_point header_deadline_;
  bool idle_ = true;  // waiting for the next request
};

}  // namespace gpuassay
