#include "agent/platform/network_wait.h"

#include <sstream>
#include <string>
#include <vector>

namespace gpuassay {
namespace {

using Fields = std::vector<std::string>;

bool any_line(std::string_view text, bool (*matches)(const Fields& fields)) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Fields fields;
    for (std::string word; words >> word;) fields.push_back(word);
    if (matches(fields)) return true;
  }
  return false;
}

/// Interface, destination, gateway, flags, reference count, use, metric, mask, ...
bool is_default_ipv4(const Fields& fields) {
  return fields.size() >= 8 && fields[1] == "00000000" && fields[7] == "00000000" && fields[0] != "lo";
}

/// Destination, its prefix's length, source, that one's, next hop, metric, reference count, use, flags, interface.
/// Every machine has one of lo's that refuses.
bool is_default_ipv6(const Fields& fields) {
  return fields.size() >= 10 && fields[0] == std::string(32, '0') && fields[1] == "00" && fields[9] != "lo";
}

}  // namespace

bool has_default_route(std::string_view ipv4_routes, std::string_view ipv6_routes) {
  return any_line(ipv4_routes, is_default_ipv4) || any_line(ipv6_routes, is_default_ipv6);
}

void wait_for_network(const std::function<bool()>& is_there, std::chrono::seconds limit,
                      const std::function<void(std::chrono::seconds)>& sleep) {
  constexpr std::chrono::seconds kPause{1};
  for (auto waited = std::chrono::seconds(0); waited < limit && !is_there(); waited += kPause) sleep(kPause);
}

}  // namespace gpuassay
