#include "tests/support/raw_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <latch>
#include <stdexcept>

namespace gpuassay::test {
namespace {

constexpr std::string_view kHeaderEnd = "\r\n\r\n";

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void limit_reading(int descriptor) {
  const timeval limit{20, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

std::size_t content_length(const std::string& header) {
  for (const char* const name : {"Content-Length: ", "content-length: "})
    if (const auto at = header.find(name); at != std::string::npos) return std::stoul(header.substr(at + 16));
  return 0;
}

}  // namespace

RawSocket::RawSocket(std::uint16_t port, const char* source)
    : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in from = loopback(0);
  ::inet_pton(AF_INET, source, &from.sin_addr);
  if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0)
    throw std::runtime_error("cannot bind");
  const sockaddr_in address = loopback(port);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
  limit_reading(descriptor_);
}

RawSocket RawSocket::adopt(int descriptor) {
  RawSocket socket;
  socket.descriptor_ = descriptor;
  limit_reading(descriptor);
  return socket;
}

RawSocket::RawSocket(RawSocket&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }

RawSocket::~RawSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool RawSocket::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string RawSocket::read_until(std::string_view end) const {
  std::string text;
  char c = 0;
  while (text.size() < end.size() || text.compare(text.size() - end.size(), end.size(), end) != 0) {
    if (::recv(descriptor_, &c, 1, 0) != 1) break;
    text += c;
  }
  return text;
}

std::string RawSocket::read_all() const {
  std::string text;
  std::array<char, 4096> piece{};
  ssize_t length = 0;
  while ((length = ::recv(descriptor_, piece.data(), piece.size(), 0)) > 0)
    text.append(piece.data(), static_cast<std::size_t>(length));
  return text;
}

std::string RawSocket::read_message() const {
  std::string text = read_until(kHeaderEnd);
  std::string body(content_length(text), '\0');
  std::size_t have = 0;
  while (have < body.size()) {
    const ssize_t length = ::recv(descriptor_, body.data() + have, body.size() - have, 0);
    if (length <= 0) break;
    have += static_cast<std::size_t>(length);
  }
  return text + body.substr(0, have);
}

void RawSocket::finish_sending() const { ::shutdown(descriptor_, SHUT_WR); }

ScriptedServer::ScriptedServer(Script script) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("cannot listen");
  port_ = ntohs(address.sin_port);
  // A test may fork next: what is forked while another thread starts may inherit locks that nobody gives back.
  std::latch started{1};
  thread_ = std::thread([this, &started, script = std::move(script)] {
    started.count_down();
    for (int number = 0;; ++number) {
      const int descriptor = ::accept(listener_, nullptr, nullptr);
      if (descriptor < 0) return;
      RawSocket socket = RawSocket::adopt(descriptor);
      script(socket, number);
    }
  });
  started.wait();
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
  thread_.join();
  ::close(listener_);
}

std::string http_reply(int status, std::string_view body, std::string_view extra_headers) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(extra_headers) + "\r\n" + std::string(body);
}

}  // namespace gpuassay::test
