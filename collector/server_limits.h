// What may one client, and all of them together, cost the server?
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gpuassay {

/// Each time limit is a deadline for the whole step: sending a byte now and then does not extend it. docs/OPERATIONS.md
/// lists them for operators.
struct ServerLimits {
  std::uint32_t header_bytes = 8U << 10U;
  std::uint64_t body_bytes = 1U << 20U;  ///< as sent
  std::size_t all_body_bytes =
      512U << 20U;  ///< of all bodies being received or waiting; beyond it uploads are answered 503
  std::size_t decoded_bytes = 4U << 20U;  ///< of a body that came compressed
  std::chrono::milliseconds header_time{
      10'000};  ///< from connecting, TLS included, or from the last reply, to the whole header
  std::chrono::milliseconds body_time{20'000};
  std::chrono::milliseconds reply_time{20'000};      ///< of a reply that comes in pieces: for each of them
  std::chrono::milliseconds stream_time{1'800'000};  ///< for all pieces of a reply together
  std::chrono::milliseconds stop_time{5'000};        ///< how long stop() lets requests in progress finish
  std::size_t connections = 2'048;                   ///< more are answered 503 and closed
  std::size_t connections_per_network = 256;  ///< of one /24 or /48, trusted proxies apart; more are answered 503
  std::size_t waiting_requests = 256;         ///< read, not yet answered; more are answered 503
  std::size_t requests_per_connection = 100;
  std::size_t workers = 2;                   ///< threads that call the handler
  std::size_t long_replies = 2;              ///< made at once, each on a thread of its own; more are answered 503
  std::chrono::milliseconds look_time{100};  ///< how often it is looked whether a long reply is still wanted
};

}  // namespace gpuassay
