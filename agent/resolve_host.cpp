#include "agent/resolve_host.h"

#include <fmt/format.h>
#include <netdb.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "core/error.h"

namespace gpuassay {
namespace {

/// Shared with the thread that looks the name up, which may outlive the caller's wait.
struct Lookup {
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  int status = 0;
  std::vector<SocketAddress> addresses;
};

void look_up(Lookup& lookup, const std::string& host, const std::string& service) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  int status = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &list);
  if (status == EAI_ADDRFAMILY || status == EAI_NONAME || status == EAI_NODATA) {
    hints.ai_flags = 0;  // with only a loopback interface AI_ADDRCONFIG refuses even literal addresses
    status = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &list);
  }
  const std::lock_guard lock(lookup.mutex);
  lookup.status = status;
  for (const addrinfo* entry = status == 0 ? list : nullptr; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    address.size_bytes = entry->ai_addrlen;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    lookup.addresses.push_back(address);
  }
  if (status == 0) ::freeaddrinfo(list);
  lookup.done = true;
  lookup.finished.notify_all();
}

}  // namespace

std::vector<SocketAddress> resolve_host(const std::string& host, std::uint16_t port,
                                        std::chrono::steady_clock::time_point deadline) {
  const auto lookup = std::make_shared<Lookup>();
  try {
    std::thread([lookup, host, service = fmt::format("{}", port)] { look_up(*lookup, host, service); }).detach();
  } catch (const std::system_error&) {
    throw Error(ErrorCode::network, "cannot start a thread to look the server's name up; free some resources");
  }
  std::unique_lock lock(lookup->mutex);
  if (!lookup->finished.wait_until(lock, deadline, [&lookup] { return lookup->done; }))
    throw Error(ErrorCode::network, fmt::format("the name {} was not found in time; check the network", host));
  if (lookup->status != 0 || lookup->addresses.empty())
    throw Error(ErrorCode::network, fmt::format("the name {} cannot be found: {}; check the address and the network",
                                                host, ::gai_strerror(lookup->status)));
  return lookup->addresses;
}

}  // namespace gpuassay
