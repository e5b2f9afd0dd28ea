#include "tests/support/fake_gpu/nccl_hub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace gpuassay::fake {
namespace {

[[noreturn]] void gone() { throw std::runtime_error("another rank is gone"); }

void send_all(int fd, const void* data, std::size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = ::send(fd, at, size, MSG_NOSIGNAL);
    if (sent <= 0) gone();
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

void receive_all(int fd, void* data, std::size_t size) {
  auto* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = ::recv(fd, at, size, 0);
    if (got <= 0) gone();
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

/// Its size before it.
std::string framed(const std::string& message) {
  const std::uint64_t size = message.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + message;
}

/// What waits for more to send with it would wait for the other side's acknowledgement, in every round.
void send_at_once(int fd) {
  const int yes = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

std::string receive_message(int fd) {
  std::uint64_t size = 0;
  receive_all(fd, &size, sizeof size);
  std::string message(size, '\0');
  receive_all(fd, message.data(), size);
  return message;
}

/// Sockets of all ranks, in their order.
std::vector<int> accept_all(int listener) {
  std::vector<int> lines;
  for (std::size_t missing = 1; missing > 0; --missing) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd < 0) gone();
    send_at_once(fd);
    std::int32_t hello[2] = {};
    receive_all(fd, hello, sizeof hello);
    if (lines.empty()) {
      lines.assign(static_cast<std::size_t>(hello[0]), -1);
      missing = lines.size();
    }
    lines.at(static_cast<std::size_t>(hello[1])) = fd;
  }
  return lines;
}

/// Until a rank goes: then everybody is told by the end of their line.
void serve(int listener) {
  std::vector<int> lines;
  try {
    lines = accept_all(listener);
    while (true) {
      std::string all;
      for (const int line : lines) all += framed(receive_message(line));
      for (const int line : lines) send_all(line, all.data(), all.size());
    }
  } catch (const std::exception&) {
    for (const int line : lines) ::close(line);
  }
  ::close(listener);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

std::string start_hub() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  constexpr int kBacklog = 64;
  if (listener < 0 || ::bind(listener, generic, size) != 0 || ::listen(listener, kBacklog) != 0 ||
      ::getsockname(listener, generic, &size) != 0) {
    throw std::runtime_error("no port for the ranks to meet at");
  }
  std::thread(serve, listener).detach();
  return std::to_string(ntohs(address.sin_port));
}

HubLine::HubLine(const std::string& address, int ranks, int rank)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), ranks_(ranks) {
  const sockaddr_in hub = loopback(static_cast<std::uint16_t>(std::strtoul(address.c_str(), nullptr, 10)));
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&hub), sizeof hub) != 0)
    throw std::runtime_error("the process that made the unique id is gone");
  send_at_once(fd_);
  const std::int32_t hello[2] = {ranks, rank};
  send_all(fd_, hello, sizeof hello);
  (void)exchange("");
}

HubLine::~HubLine() { ::close(fd_); }

std::vector<std::string> HubLine::exchange(const std::string& message) const {
  const std::string text = framed(message);
  send_all(fd_, text.data(), text.size());
  std::vector<std::string> messages;
  messages.reserve(static_cast<std::size_t>(ranks_));
  for (int i = 0; i < ranks_; ++i) messages.push_back(receive_message(fd_));
  return messages;
}

}  // namespace gpuassay::fake
