// How do bytes from the network become requests, within stated limits? The only file that knows the HTTP library.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "collector/http_message.h"

namespace gpuassay {

/// What one client, and all of them together, may cost. Each time limit is a deadline for the whole step: sending a
/// byte now and then does not extend it.
struct ServerLimits {
  std::uint32_t header_bytes = 8U << 10U;
  std::uint64_t body_bytes = 1U << 20U;
  std::chrono::milliseconds header_time{10'000};  ///< from connecting, or from the last reply, to the whole header
  std::chrono::milliseconds body_time{20'000};
  std::chrono::milliseconds reply_time{20'000};
  std::chrono::milliseconds stop_time{5'000};  ///< how long stop() lets requests in progress finish
  std::size_t connections = 2'048;             ///< more are answered 503 and closed
  std::size_t waiting_requests = 256;          ///< read, not yet answered; more are answered 503
  std::size_t requests_per_connection = 100;
};

/// An HTTP/1.1 server: one thread for the network, one that calls the handler.
class Server {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  /// Binds at once; port 0 takes a free one. `handler` is called by one thread at a time and must not throw. Throws
  /// Error{network} when the address cannot be had.
  Server(const std::string& host, std::uint16_t port, Handler handler, const ServerLimits& limits = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// "127.0.0.1:8080", "[::1]:8080".
  [[nodiscard]] std::string address() const;

  /// Serves until stop(); call once.
  void run();
  /// Ends run(): no new connections, requests in progress are answered. From any thread.
  void stop();
  /// Makes SIGTERM and SIGINT call stop().
  void stop_on_signals();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gpuassay
