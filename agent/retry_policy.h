// When is a request tried again? Pure: numbers in, numbers out.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace gpuassay {

/// Before the second attempt at most kFirstDelay passes, before each further one at most twice as long.
inline constexpr std::chrono::milliseconds kFirstDelay{500};
/// No wait is longer than this, whatever a server asks for: it may be wrong about the time it needs.
inline constexpr std::chrono::milliseconds kLongestDelay{300'000};
/// Without a network people wait this long at most.
inline constexpr std::chrono::milliseconds kNetworkFailureTime{10'000};

/// Full jitter: the share `random` (0 to 1) of a ceiling that doubles with every attempt made, at most kLongestDelay,
/// so that many agents do not return together.
std::chrono::milliseconds jittered_delay(int attempts_made, double random);

/// What the header Retry-After asks for, at most kLongestDelay: seconds, or an HTTP date, which is compared with the
/// same answer's Date because the clock of a fresh machine may be wrong. Zero when it cannot be understood.
std::chrono::milliseconds retry_after(std::string_view header, std::string_view date_header);

/// Retry-After as the least, jitter on top, together at most kLongestDelay.
std::chrono::milliseconds next_delay(int attempts_made, double random, std::chrono::milliseconds asked_for);

/// Is this status a matter of time? 408, 429 and every 5xx; other statuses from 400 on are final, but not the proxy's
/// 407.
bool is_retryable(int status);
bool is_final_refusal(int status);

}  // namespace gpuassay
