// Right after boot a machine may have no network yet. How long is one waited for before its cloud is asked?
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

namespace gpuassay {

/// Where the cloud is known; an unknown machine may have no network at all.
inline constexpr std::chrono::seconds kNetworkWait{30};

/// Whether a route leads beyond the machine and its neighbours: a default route in this text of Linux's /proc/net/route
/// (IPv4, as every service's address is). An address alone is none: a bridge for containers has one as well.
bool has_default_route(std::string_view ipv4_routes);

/// Looks once a second until there is a network, `limit` seconds at most.
void wait_for_network(const std::function<bool()>& is_there, std::chrono::seconds limit,
                      const std::function<void(std::chrono::seconds)>& sleep);

}  // namespace gpuassay
