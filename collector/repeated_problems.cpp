#include "collector/repeated_problems.h"

#include <fmt/format.h>

namespace gpuassay {

void RepeatedProblems::say(std::string_view message) {
  const std::int64_t now_ms = steady_ms_();
  std::uint64_t unsaid = 0;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(kinds_, [&](const auto& entry) {
      return entry.second.unsaid == 0 && now_ms - entry.second.said_ms >= kPauseMs;
    });
    auto found = kinds_.find(message);
    if (found == kinds_.end() && kinds_.size() >= kMostKinds) found = kinds_.find("");
    if (found == kinds_.end()) {
      const bool is_crowded = kinds_.size() >= kMostKinds;
      kinds_.emplace(is_crowded ? std::string() : std::string(message), Kind{now_ms, 0});
    } else if (now_ms - found->second.said_ms < kPauseMs) {
      ++found->second.unsaid;
      return;
    } else {
      unsaid = found->second.unsaid;
      found->second = {now_ms, 0};
    }
  }
  if (unsaid == 0) return write_(message);
  write_(fmt::format("{} (and {} times more since it was last said)", message, unsaid));
}

}  // namespace gpuassay
