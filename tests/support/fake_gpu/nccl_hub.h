// How do ranks in several processes meet? Over loopback, at a thread of the process that made the unique id.
#pragma once

#include <string>
#include <vector>

namespace gpuassay::fake {

/// Starts a hub for one communicator; what it returns is to be given to meet_at_hub, in at most 127 characters.
/// Throws std::runtime_error.
std::string start_hub();

/// One rank's line to the hub.
class HubLine {
 public:
  /// Returns when all `ranks` are there. Throws std::runtime_error.
  HubLine(const std::string& address, int ranks, int rank);
  HubLine(const HubLine&) = delete;
  HubLine& operator=(const HubLine&) = delete;
  ~HubLine();

  /// Gives `message` to all, and returns those of all ranks, in their order. Throws std::runtime_error when one is
  /// gone.
  [[nodiscard]] std::vector<std::string> exchange(const std::string& message) const;

 private:
  int fd_ = -1;
  int ranks_ = 0;
};

}  // namespace gpuassay::fake
