// The HTTP server alone on a free port, in a thread of the test.
#pragma once

#include <thread>
#include <utility>

#include "collector/server.h"

namespace gpuassay::test {

class RunningServer {
 public:
  explicit RunningServer(Server::Handler handler, ServerOptions options = {})
      : server_(on_loopback(std::move(options)), std::move(handler)), thread_([this] { server_.run(); }) {}
  ~RunningServer() {
    server_.stop();
    thread_.join();
  }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] Server& server() { return server_; }

 private:
  static ServerOptions on_loopback(ServerOptions options) {
    options.host = "127.0.0.1";
    return options;
  }
  Server server_;
  std::thread thread_;
};

}  // namespace gpuassay::test
