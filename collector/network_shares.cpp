#include "collector/network_shares.h"

namespace gpuassay {

bool NetworkShares::enter(const std::string& network) {
  const auto found = open_.find(network);
  if (found == open_.end()) {
    if (most_each_ > 0) open_.emplace(network, 1);
    return most_each_ > 0;
  }
  if (found->second >= most_each_) return false;
  ++found->second;
  return true;
}

void NetworkShares::leave(const std::string& network) {
  const auto found = open_.find(network);
  if (found != open_.end() && --found->second == 0) open_.erase(found);
}

}  // namespace gpuassay
