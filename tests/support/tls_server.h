// An HTTPS server with a certificate of its own making, for tests of verification.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace gpuassay::test {

/// A certificate and its key, as PEM text.
struct TestIdentity {
  std::string certificate, key;
};

/// Self-signed for `host`, an hour old and valid for another one.
TestIdentity make_identity(const std::string& host);

/// Answers every connection with the same reply. The certificate is self-signed for `certificate_host`.
class TlsServer {
 public:
  TlsServer(const std::string& certificate_host, std::string reply);
  ~TlsServer();
  [[nodiscard]] std::uint16_t port() const;
  /// PEM text of the certificate: a client that trusts it puts this into its CA bundle.
  [[nodiscard]] const std::string& certificate_pem() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace gpuassay::test
