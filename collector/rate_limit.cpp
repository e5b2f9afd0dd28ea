#include "collector/rate_limit.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace gpuassay {
namespace {

constexpr std::int64_t kMsPerHour = 3'600'000;
constexpr std::int64_t kMsPerSecond = 1'000;

}  // namespace

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

std::int64_t RateLimiter::step_ms() const { return std::max<std::int64_t>(1, kMsPerHour / limit_.per_hour); }

std::optional<std::int64_t> RateLimiter::wait_s(std::string_view sender, std::int64_t now_ms) {
  if (limit_.per_hour <= 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (full_again_ms_.size() >= kMostSenders) forget_quiet_senders(now_ms);
  const bool crowded = full_again_ms_.size() >= kMostSenders && !full_again_ms_.contains(std::string(sender));
  std::int64_t& full_again_ms = full_again_ms_[crowded ? std::string() : std::string(sender)];
  const std::int64_t burst_ms = step_ms() * std::max<std::int64_t>(1, limit_.burst);
  // More than a whole burst ahead is none of ours: the clock went back.
  const std::int64_t next_ms = std::clamp(full_again_ms, now_ms, now_ms + burst_ms) + step_ms();
  const std::int64_t wait_ms = next_ms - now_ms - burst_ms;
  if (wait_ms > 0) return (wait_ms + kMsPerSecond - 1) / kMsPerSecond;
  full_again_ms = next_ms;
  return std::nullopt;
}

void RateLimiter::give_back(std::string_view sender) {
  if (limit_.per_hour <= 0) return;
  const std::lock_guard lock(mutex_);
  auto found = full_again_ms_.find(std::string(sender));
  if (found == full_again_ms_.end()) found = full_again_ms_.find("");  // the one that new ones share
  if (found != full_again_ms_.end()) found->second -= step_ms();
}

void RateLimiter::forget_quiet_senders(std::int64_t now_ms) {
  std::erase_if(full_again_ms_, [&](const auto& sender) { return sender.second <= now_ms; });
}

std::string network_of(std::string_view address) {
  std::string text(address.substr(0, INET6_ADDRSTRLEN));
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return fmt::format("{}.{}.{}", bytes[0], bytes[1], bytes[2]);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return text;
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), bytes.begin()))
    return fmt::format("{}.{}.{}", bytes[12], bytes[13], bytes[14]);
  return fmt::format("{:02x}{:02x}:{:02x}{:02x}:{:02x}{:02x}", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
                     bytes[5]);
}

}  // namespace gpuassay
