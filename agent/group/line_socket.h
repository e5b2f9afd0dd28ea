// How do two processes that may be on different machines talk? Lines of JSON over TCP, bounded in size and time
// whatever the other side sends.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "agent/file_descriptor.h"

namespace gpuassay {

using SteadyTime = std::chrono::steady_clock::time_point;

/// One connection.
class LineSocket {
 public:
  LineSocket() = default;
  /// Takes over a connected socket.
  explicit LineSocket(FileDescriptor socket);

  [[nodiscard]] int fd() const { return socket_.get(); }
  /// The other side closed, or sent what is no message; nothing more comes.
  [[nodiscard]] bool is_gone() const { return !socket_; }
  void close() { socket_.reset(); }

  /// One message; it arrives or the connection is gone: a reader that takes longer than a few seconds is given up.
  void send(const nlohmann::json& message);

  /// Reads what is there, without waiting; the next message when it is whole. Longer than kMaxMessageBytes or no JSON:
  /// the connection is closed.
  std::optional<nlohmann::json> receive();

  static constexpr std::size_t kMaxMessageBytes = 65536;

 private:
  FileDescriptor socket_;
  std::string text_;
};

/// Listens at `host` where that is an address of this machine, else at all of its addresses. Throws Error{network}.
FileDescriptor listen_at(const std::string& host, std::uint16_t port);

/// A connection that waits at `listener`; empty when there is none.
FileDescriptor accept_from(int listener);

/// Tries until `deadline`, as rank 0 may come later. Throws Error{network}.
FileDescriptor connect_to(const std::string& host, std::uint16_t port, SteadyTime deadline);

}  // namespace gpuassay
