// What is a client's connection to those who read and write requests, with and without TLS?
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <memory>
#include <utility>
#include <variant>

namespace gpuassay {

/// An AsyncReadStream and AsyncWriteStream of Beast. Time limits are set on tcp(), also for TLS.
class ClientStream {
 public:
  using Tcp = boost::beast::tcp_stream;
  using Tls = boost::beast::ssl_stream<Tcp>;
  using executor_type = Tcp::executor_type;

  /// With an identity it is TLS.
  ClientStream(boost::asio::ip::tcp::socket&& socket, std::shared_ptr<boost::asio::ssl::context> identity)
      : identity_(std::move(identity)),
        stream_(identity_ ? Either(std::in_place_type<Tls>, std::move(socket), *identity_)
                          : Either(std::in_place_type<Tcp>, std::move(socket))) {}

  [[nodiscard]] executor_type get_executor() { return tcp().get_executor(); }
  [[nodiscard]] Tcp& tcp() {
    auto* const encrypted = tls();
    return encrypted != nullptr ? encrypted->next_layer() : std::get<Tcp>(stream_);
  }
  /// Null without TLS.
  [[nodiscard]] Tls* tls() { return std::get_if<Tls>(&stream_); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (auto* const encrypted = tls()) return encrypted->async_read_some(buffers, std::forward<Token>(token));
    return std::get<Tcp>(stream_).async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (auto* const encrypted = tls()) return encrypted->async_write_some(buffers, std::forward<Token>(token));
    return std::get<Tcp>(stream_).async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  using Either = std::variant<Tcp, Tls>;

  std::shared_ptr<boost::asio::ssl::context> identity_;  // before the stream, which uses it
  Either stream_;
};

}  // namespace gpuassay
