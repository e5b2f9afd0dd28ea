#include "bench/load_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <stdexcept>

namespace gpuassay::bench {
namespace {

constexpr std::string_view kHeaderEnd = "\r\n\r\n";

/// The number behind `name` in a header; 0 without.
std::size_t number_after(std::string_view header, std::string_view name) {
  const std::size_t at = header.find(name);
  std::size_t number = 0;
  if (at != std::string_view::npos)
    std::from_chars(header.data() + at + name.size(), header.data() + header.size(), number);
  return number;
}

}  // namespace

LoadClient::LoadClient(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  peer_.sin_family = AF_INET;
  if (colon == std::string::npos || inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer_.sin_addr) != 1)
    throw std::runtime_error(address + " is not IPV4:PORT");
  peer_.sin_port = htons(static_cast<std::uint16_t>(std::stoul(address.substr(colon + 1))));
}

LoadClient::~LoadClient() { close(); }

void LoadClient::connect() {
  if (socket_ >= 0) return;
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval longest{30, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&peer_), sizeof peer_) != 0) close();
}

int LoadClient::exchange(const std::vector<std::string_view>& pieces) {
  connect();
  const int status = socket_ >= 0 && send(pieces) ? receive() : 0;
  if (status == 0) close();
  return status;
}

bool LoadClient::send(const std::vector<std::string_view>& pieces) {
  std::vector<iovec> rest;
  for (const std::string_view piece : pieces) rest.push_back({const_cast<char*>(piece.data()), piece.size()});
  std::size_t at = 0;
  while (at < rest.size()) {
    msghdr message{};
    message.msg_iov = &rest[at];
    message.msg_iovlen = rest.size() - at;
    ssize_t sent = sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    for (; at < rest.size() && sent >= static_cast<ssize_t>(rest[at].iov_len); ++at)
      sent -= static_cast<ssize_t>(rest[at].iov_len);
    if (at == rest.size()) break;
    rest[at].iov_base = static_cast<char*>(rest[at].iov_base) + sent;
    rest[at].iov_len -= static_cast<std::size_t>(sent);
  }
  return true;
}

int LoadClient::receive() {
  received_.clear();
  std::size_t header_end = std::string::npos;
  while ((header_end = received_.find(kHeaderEnd)) == std::string::npos)
    if (!read_more()) return 0;
  const std::string header = received_.substr(0, header_end);
  const std::size_t whole = header_end + kHeaderEnd.size() + number_after(header, "Content-Length: ");
  while (received_.size() < whole)
    if (!read_more()) return 0;
  if (header.find("Connection: close") != std::string::npos) close();
  return static_cast<int>(number_after(header, "HTTP/1.1 "));
}

bool LoadClient::read_more() {
  std::array<char, 16384> bytes{};
  const ssize_t count = recv(socket_, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  received_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

void LoadClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

}  // namespace gpuassay::bench
