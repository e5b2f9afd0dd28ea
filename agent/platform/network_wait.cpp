#include "agent/platform/network_wait.h"

#include <sstream>
#include <string>
#include <vector>

namespace gpuassay {
namespace {

/// A line is interface, destination, gateway, flags, reference count, use, metric, mask, and more.
bool is_default(const std::vector<std::string>& fields) {
  return fields.size() >= 8 && fields[1] == "00000000" && fields[7] == "00000000" && fields[0] != "lo";
}

}  // namespace

bool has_default_route(std::string_view ipv4_routes) {
  std::istringstream lines{std::string(ipv4_routes)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; words >> word;) fields.push_back(word);
    if (is_default(fields)) return true;
  }
  return false;
}

void wait_for_network(const std::function<bool()>& is_there, std::chrono::seconds limit,
                      const std::function<void(std::chrono::seconds)>& sleep) {
  constexpr std::chrono::seconds kPause{1};
  for (auto waited = std::chrono::seconds(0); waited < limit && !is_there(); waited += kPause) sleep(kPause);
}

}  // namespace gpuassay
