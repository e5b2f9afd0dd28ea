// Which addresses does a host name have, when the name server may not answer?
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace gpuassay {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size_bytes = 0;
};

/// Addresses of `host` for TCP, in the order in which they should be tried; never empty. Throws Error{network} when
/// the name is unknown or `deadline` passes first: the system's lookup cannot be cancelled and is then left behind.
std::vector<SocketAddress> resolve_host(const std::string& host, std::uint16_t port,
                                        std::chrono::steady_clock::time_point deadline);

}  // namespace gpuassay
