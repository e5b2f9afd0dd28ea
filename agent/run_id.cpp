#include "agent/run_id.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <cerrno>

#include "core/error.h"

namespace gpuassay {

std::string uuid_v7(std::int64_t unix_ms, const std::array<unsigned char, 10>& random) {
  std::array<unsigned, 16> byte{};
  const auto stamp = static_cast<std::uint64_t>(unix_ms);
  for (unsigned i = 0; i < 6; ++i) byte[i] = static_cast<unsigned>((stamp >> (40 - 8 * i)) & 0xFF);
  for (unsigned i = 0; i < 10; ++i) byte[6 + i] = random[i];
  byte[6] = (byte[6] & 0x0F) | 0x70;  // version 7
  byte[8] = (byte[8] & 0x3F) | 0x80;  // variant 10
  std::string text;
  for (unsigned i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", byte[i]);
  }
  return text;
}

std::string new_run_id(std::int64_t unix_ms) {
  std::array<unsigned char, 10> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw_errno(ErrorCode::internal, "the kernel gives no random bytes", errno);
  }
  return uuid_v7(unix_ms, random);
}

bool is_run_id(std::string_view text) {
  constexpr std::string_view kPattern = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kPattern.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hex = std::string_view("0123456789abcdef").find(text[i]) != std::string_view::npos;
    if (kPattern[i] == '-' ? text[i] != '-' : !hex) return false;
  }
  return true;
}

}  // namespace gpuassay
