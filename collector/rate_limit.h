// May this sender send now? A steady rate with room for a burst, for many senders in little memory. Pure but for its
// memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gpuassay {

/// Milliseconds of a clock that is never set; what they count from says nothing. Waiting is measured with it.
std::int64_t steady_ms();

struct RateLimit {
  std::int64_t per_hour = 0;  ///< 0: no limit
  std::int64_t burst = 1;     ///< so many at once before the steady rate counts
};

/// The generic cell rate algorithm (ITU-T I.371): one number for each sender, the time at which its burst would be full
/// again. Senders that have been quiet are forgotten; at kMostSenders new ones share one number. Safe from any thread.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimit limit) : limit_(limit) {}

  /// Empty when the sender may go on, and counts it; else the seconds to wait, at least 1. `now_ms` as of steady_ms();
  /// should it ever go back, nobody waits longer than for the first one after a full burst.
  std::optional<std::int64_t> wait_s(std::string_view sender, std::int64_t now_ms);
  /// The sender was let go on, and nothing came of it.
  void give_back(std::string_view sender);

  static constexpr std::size_t kMostSenders = 100'000;

 private:
  [[nodiscard]] std::int64_t step_ms() const;
  void forget_quiet_senders(std::int64_t now_ms);

  const RateLimit limit_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> full_again_ms_;
};

/// The network of an address: /24 of IPv4, /48 of IPv6, as text; a mapped IPv4 address is one of IPv4. Text that is no
/// address is its own network.
std::string network_of(std::string_view address);

}  // namespace gpuassay
