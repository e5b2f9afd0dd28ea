// A TLS client that shows what it negotiated, for tests of a server.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gpuassay::test {

/// One connection to 127.0.0.1 that takes any certificate.
class TlsClient {
 public:
  /// `only_version`: TLS1_2_VERSION and the like; 0 takes the best. Throws std::runtime_error when the handshake fails.
  explicit TlsClient(std::uint16_t port, int only_version = 0);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  void send(std::string_view bytes) const;
  /// A whole reply with Content-Length.
  [[nodiscard]] std::string read_message() const;
  /// True when the server said that nothing more comes, false when it was cut off or sent something.
  [[nodiscard]] bool ended_properly() const;
  /// "TLSv1.3".
  [[nodiscard]] std::string version() const;
  /// The server's, PEM.
  [[nodiscard]] std::string certificate() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gpuassay::test
