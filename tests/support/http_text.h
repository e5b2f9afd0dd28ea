// Requests and replies as text, for tests of the server.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/raw_socket.h"

namespace gpuassay::test {

inline std::string ask(std::uint16_t port, std::string_view message) {
  const RawSocket socket(port);
  socket.send(message);
  return socket.read_message();
}

/// `headers`: whole lines, each with its end.
inline std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

inline int status_of(std::string_view reply) {
  return reply.size() < 12 ? 0 : std::stoi(std::string(reply.substr(9, 3)));
}

inline std::string head_of(std::string_view reply) { return std::string(reply.substr(0, reply.find("\r\n\r\n"))); }

/// Two replies have the same head only if their clocks say the same second.
inline std::string without_date(std::string head) {
  const auto start = head.find("\r\nDate: ");
  return start == std::string::npos ? head : head.erase(start, head.find("\r\n", start + 2) - start);
}

inline std::string body_of(std::string_view reply) {
  const auto end = reply.find("\r\n\r\n");
  return end == std::string_view::npos ? "" : std::string(reply.substr(end + 4));
}

inline bool has_header(std::string_view reply, std::string_view line) {
  return (head_of(reply) + "\r\n").find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

/// A body in chunks as one text; empty when its last chunk is missing.
inline std::string joined_chunks(std::string_view body) {
  std::string text;
  while (!body.empty()) {
    const auto line = body.find("\r\n");
    if (line == std::string_view::npos) return {};
    const std::size_t size = std::stoul(std::string(body.substr(0, line)), nullptr, 16);
    if (size == 0) return text;
    text += body.substr(line + 2, size);
    body.remove_prefix(std::min(body.size(), line + 2 + size + 2));
  }
  return {};
}

}  // namespace gpuassay::test
