// How many connections does each client network hold?
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

namespace gpuassay {

/// Counts what is open, so that no network takes all there is. For one thread at a time.
class NetworkShares {
 public:
  explicit NetworkShares(std::size_t most_each) : most_each_(most_each) {}

  /// False when the network has its share already; nothing is counted then.
  bool enter(const std::string& network);
  /// Once for each enter() that was true.
  void leave(const std::string& network);
  [[nodiscard]] std::size_t networks() const { return open_.size(); }

 private:
  const std::size_t most_each_;
  std::unordered_map<std::string, std::size_t> open_;
};

}  // namespace gpuassay
