#include "agent/platform/network_wait.h"

#include <algorithm>

namespace gpuassay {

bool has_network(const std::vector<std::string>& own_addresses) {
  return std::any_of(own_addresses.begin(), own_addresses.end(),
                     [](const std::string& address) { return !address.starts_with("127."); });
}

void wait_for_network(const std::function<bool()>& is_there, std::chrono::seconds limit,
                      const std::function<void(std::chrono::seconds)>& sleep) {
  constexpr std::chrono::seconds kPause{1};
  for (auto waited = std::chrono::seconds(0); waited < limit && !is_there(); waited += kPause) sleep(kPause);
}

}  // namespace gpuassay
