// What does one client of a load test need of HTTP? A kept connection, one request at a time, and the status of the
// reply; with as little work as possible, as it shares the processor with what it measures.
#pragma once

#include <netinet/in.h>

#include <string>
#include <string_view>
#include <vector>

namespace gpuassay::bench {

class LoadClient {
 public:
  /// `address` is IPV4:PORT. Throws std::runtime_error when it is not.
  explicit LoadClient(const std::string& address);
  ~LoadClient();
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  /// Does nothing while there is a connection; a failure shows at the next exchange().
  void connect();
  /// Sends the request whose bytes these are and reads the reply. Its status; 0 when no whole one came.
  int exchange(const std::vector<std::string_view>& pieces);

 private:
  bool send(const std::vector<std::string_view>& pieces);
  int receive();
  bool read_more();
  void close();

  sockaddr_in peer_{};
  int socket_ = -1;
  std::string received_;
};

}  // namespace gpuassay::bench
