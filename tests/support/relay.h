// Stands between a client and PostgreSQL on a socket of its own, and loses an answer when told to.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/scratch_root.h"

namespace gpuassay::test {

class Relay {
 public:
  explicit Relay(std::filesystem::path server_socket);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  /// The next answer of the server that contains `text` is thrown away: `then` is called and the connection closed.
  void lose_answer_with(const std::string& text, std::function<void()> then);
  [[nodiscard]] bool has_lost() const { return lost_; }

 private:
  void accept_all();
  void pass_on(int client);
  bool forward(int from, int to, bool is_answer);

  ScratchRoot folder_;
  std::filesystem::path server_socket_;
  int listener_ = -1;
  std::string text_to_lose_;
  std::function<void()> then_;
  std::atomic<bool> armed_ = false, lost_ = false, stopping_ = false;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace gpuassay::test
