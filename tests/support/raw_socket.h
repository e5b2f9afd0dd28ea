// Bytes over TCP exactly as a test writes them: a client that can be rude, and a server that follows a script.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace gpuassay::test {

/// One TCP connection on 127.0.0.1. Reading gives up after 20 s, so that a broken server fails a test, not hangs it.
class RawSocket {
 public:
  /// From the address `source` of this machine: all of 127.0.0.0/8 is.
  explicit RawSocket(std::uint16_t port, const char* source = "127.0.0.1");
  static RawSocket adopt(int descriptor);
  ~RawSocket();
  RawSocket(RawSocket&& other) noexcept;
  RawSocket& operator=(RawSocket&&) = delete;

  /// False when the other side no longer takes bytes.
  bool send(std::string_view bytes) const;
  /// Everything until the other side closes.
  [[nodiscard]] std::string read_all() const;
  /// Until `end` has been read, or the other side closes.
  [[nodiscard]] std::string read_until(std::string_view end) const;
  /// A whole HTTP request or reply with Content-Length.
  [[nodiscard]] std::string read_message() const;
  void finish_sending() const;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  RawSocket() = default;
  int descriptor_ = -1;
};

/// Accepts connections on a free port of 127.0.0.1, one after the other, and hands each to `script` with its number
/// (from 0). Ends in the destructor.
class ScriptedServer {
 public:
  using Script = std::function<void(RawSocket&, int)>;
  explicit ScriptedServer(Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// "HTTP/1.1 200 OK" with this body.
std::string http_reply(int status, std::string_view body, std::string_view extra_headers = "");

}  // namespace gpuassay::test
