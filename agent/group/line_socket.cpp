#include "agent/group/line_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/json_guard.h"

namespace gpuassay {
namespace {

using Addresses = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;
constexpr int kBacklog = 128;
constexpr int kSendLimitMs = 5000;
constexpr std::chrono::milliseconds kConnectLimit{2000}, kRetryPause{100};

/// Null when the name is not known (yet).
Addresses addresses_of(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0) found = nullptr;
  return {found, ::freeaddrinfo};
}

FileDescriptor new_socket(int family) {
  return FileDescriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

bool listens(const FileDescriptor& socket, const sockaddr* address, socklen_t size) {
  const int yes = 1;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  return ::bind(socket.get(), address, size) == 0 && ::listen(socket.get(), kBacklog) == 0;
}

FileDescriptor listen_everywhere(std::uint16_t port) {
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  any.sin_addr.s_addr = htonl(INADDR_ANY);
  FileDescriptor socket = new_socket(AF_INET);
  return socket && listens(socket, reinterpret_cast<const sockaddr*>(&any), sizeof any) ? std::move(socket)
                                                                                        : FileDescriptor();
}

/// Empty when nobody answers there.
FileDescriptor connect_once(const addrinfo& address) {
  FileDescriptor socket = new_socket(address.ai_family);
  if (!socket) return {};
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return {};
    pollfd waiting{socket.get(), POLLOUT, 0};
    int problem = 0;
    socklen_t size = sizeof problem;
    if (::poll(&waiting, 1, static_cast<int>(kConnectLimit.count())) != 1 ||
        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0 || problem != 0)
      return {};
  }
  return socket;
}

}  // namespace

LineSocket::LineSocket(FileDescriptor socket) : socket_(std::move(socket)) {
  const int yes = 1;
  (void)::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  // A machine that is cut off sends nothing: the system asks after it and says that it is gone.
  (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
}

void LineSocket::send(const nlohmann::json& message) {
  const std::string text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::size_t sent = 0;
  while (socket_ && sent < text.size()) {
    const ssize_t now = ::send(socket_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (now > 0) {
      sent += static_cast<std::size_t>(now);
      continue;
    }
    pollfd waiting{socket_.get(), POLLOUT, 0};
    if (errno != EAGAIN || ::poll(&waiting, 1, kSendLimitMs) != 1) close();
  }
}

std::optional<nlohmann::json> LineSocket::receive() {
  std::array<char, 4096> block{};
  while (socket_ && text_.find('\n') == std::string::npos) {
    const ssize_t size = ::recv(socket_.get(), block.data(), block.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (size <= 0 || text_.size() + static_cast<std::size_t>(size) > kMaxMessageBytes) {
      close();
      return std::nullopt;
    }
    text_.append(block.data(), static_cast<std::size_t>(size));
  }
  const std::size_t end = text_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  const std::string line = text_.substr(0, end);
  text_.erase(0, end + 1);
  try {
    return parse_untrusted_json(line);
  } catch (const Error&) {
    close();
    return std::nullopt;
  }
}

FileDescriptor listen_at(const std::string& host, std::uint16_t port) {
  const Addresses addresses = addresses_of(host, port);
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    FileDescriptor socket = new_socket(each->ai_family);
    if (socket && listens(socket, each->ai_addr, each->ai_addrlen)) return socket;
    if (errno == EADDRINUSE) break;
  }
  // Behind an address translation the name of rank 0 is no address of its machine.
  if (errno != EADDRINUSE) {
    if (FileDescriptor socket = listen_everywhere(port)) return socket;
  }
  throw_errno(ErrorCode::network,
              fmt::format("cannot listen at port {} for the other ranks; choose another MASTER_PORT", port), errno);
}

FileDescriptor accept_from(int listener) {
  return FileDescriptor(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

FileDescriptor connect_to(const std::string& host, std::uint16_t port, SteadyTime deadline) {
  while (std::chrono::steady_clock::now() < deadline) {
    const Addresses addresses = addresses_of(host, port);
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
      if (FileDescriptor socket = connect_once(*each)) return socket;
    }
    std::this_thread::sleep_for(kRetryPause);
  }
  throw Error(
      ErrorCode::network,
      fmt::format("rank 0 did not answer at port {} of MASTER_ADDR; is it running, and is the port open?", port));
}

}  // namespace gpuassay
