#include "agent/retry_policy.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "agent/http_date.h"

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool digits = !text.empty() && text.front() >= '0' && text.front() <= '9';
  if (!digits || problem != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

milliseconds jittered_delay(int attempts_made, double random) {
  constexpr int kMostDoublings = 20;  // far beyond the cap, far below overflow
  const int doublings = std::clamp(attempts_made - 1, 0, kMostDoublings);
  const milliseconds ceiling = std::min(kFirstDelay * (std::int64_t{1} << doublings), kLongestDelay);
  return milliseconds{static_cast<std::int64_t>(std::clamp(random, 0.0, 1.0) * static_cast<double>(ceiling.count()))};
}

milliseconds retry_after(std::string_view header, std::string_view date_header) {
  std::optional<std::int64_t> seconds = whole_number(header);
  if (const auto until = http_date_s(header), now = http_date_s(date_header); until && now) seconds = *until - *now;
  constexpr std::int64_t kLongestS = kLongestDelay.count() / 1000;
  return std::chrono::seconds{std::clamp<std::int64_t>(seconds.value_or(0), 0, kLongestS)};
}

milliseconds next_delay(int attempts_made, double random, milliseconds asked_for) {
  return std::min(asked_for + jittered_delay(attempts_made, random), kLongestDelay);
}

bool is_retryable(int status) { return status == 408 || status == 429 || status >= 500; }
bool is_final_refusal(int status) {
  constexpr int kProxyAsksForPassword = 407;  // says nothing of what the server behind the proxy would answer
  return status >= 400 && status != kProxyAsksForPassword && !is_retryable(status);
}

}  // namespace gpuassay
