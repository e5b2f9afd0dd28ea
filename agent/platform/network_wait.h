// Right after boot a machine may have no address yet. How long is one waited for before its cloud is asked?
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace gpuassay {

/// Where the cloud is known; an unknown machine may have no network at all.
inline constexpr std::chrono::seconds kNetworkWait{30};

/// Whether one of these IPv4 addresses reaches beyond the machine itself.
bool has_network(const std::vector<std::string>& own_addresses);

/// Looks once a second until there is a network, `limit` seconds at most.
void wait_for_network(const std::function<bool()>& is_there, std::chrono::seconds limit,
                      const std::function<void(std::chrono::seconds)>& sleep);

}  // namespace gpuassay
