#include "tests/support/relay.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace gpuassay::test {
namespace {

constexpr int kPollMs = 50;

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(&address.sun_path[0], sizeof address.sun_path - 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

}  // namespace

Relay::Relay(std::filesystem::path server_socket)
    : server_socket_(std::move(server_socket)), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_un address = address_of(folder() / server_socket_.filename());
  if (::bind(listener_, generic(address), sizeof address) != 0 || ::listen(listener_, 16) != 0)
    throw std::runtime_error("the relay cannot listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

Relay::~Relay() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  ::close(listener_);
}

void Relay::lose_answer_with(const std::string& text, std::function<void()> then) {
  text_to_lose_ = text;
  then_ = std::move(then);
  lost_ = false;
  armed_ = true;
}

void Relay::accept_all() {
  while (!stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, kPollMs) <= 0) continue;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) connections_.emplace_back([this, client] { pass_on(client); });
  }
}

void Relay::pass_on(int client) {
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(server_socket_);
  bool open = ::connect(server, generic(address), sizeof address) == 0;
  while (open && !stopping_) {
    std::array<pollfd, 2> waiting{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), kPollMs) <= 0) continue;
    if (waiting[0].revents != 0) open = forward(client, server, false);
    if (open && waiting[1].revents != 0) open = forward(server, client, true);
  }
  ::close(server);
  ::close(client);
}

bool Relay::forward(int from, int to, bool is_answer) {
  std::array<char, 65536> bytes{};
  const ssize_t count = ::recv(from, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  const std::string_view text(bytes.data(), static_cast<std::size_t>(count));
  if (is_answer && armed_ && text.find(text_to_lose_) != std::string_view::npos && armed_.exchange(false)) {
    then_();
    lost_ = true;
    return false;
  }
  return ::send(to, bytes.data(), text.size(), MSG_NOSIGNAL) == count;
}

}  // namespace gpuassay::test
