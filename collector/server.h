// How do bytes from the network become requests, within stated limits? Only this, http_session, client_stream,
// beast_message and tls_identity know the HTTP library.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/http_message.h"
#include "collector/server_limits.h"

namespace gpuassay {

/// PEM files: the certificate with its chain, and its private key without a passphrase.
struct TlsFiles {
  std::string certificate, key;
};

struct ServerOptions {
  std::string host;
  std::uint16_t port = 0;  ///< 0 = any free one
  ServerLimits limits = {};
  std::optional<TlsFiles> tls = {};               ///< HTTPS instead of HTTP
  std::vector<std::string> trusted_proxies = {};  ///< IP addresses whose X-Forwarded-For is believed
  /// Receives a line when certificates were read again, could not be, or are none. From the thread in run().
  std::function<void(std::string_view)> log = {};
  /// Receives the status of every answer that the handler did not give: requests that could not be read or decoded,
  /// and clients turned away. From any thread.
  std::function<void(int)> refused = {};
};

/// An HTTP/1.1 server: one thread for the network, and `workers` that call the handler. Bodies in gzip are unpacked for
/// the handler, replies are packed for clients that accept it, and HEAD is answered as GET without its body.
class Server {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  /// Binds at once. `handler` is called by several threads at a time and must not throw. Throws Error{network} when the
  /// address cannot be had, Error{unreadable_input} for TLS files, Error{usage} for a proxy that is no IP address.
  Server(const ServerOptions& options, Handler handler);
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
  /// Reads the TLS files again, for connections to come; open ones keep theirs. When the files are not usable the
  /// former ones stay. From any thread.
  void reload_certificate();
  /// Makes SIGTERM and SIGINT call stop(), and SIGHUP reload_certificate(), which without TLS does nothing.
  void handle_signals();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gpuassay
