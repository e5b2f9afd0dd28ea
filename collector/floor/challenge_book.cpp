#include "collector/floor/challenge_book.h"

#include "core/signature.h"

namespace gpuassay {

std::string ChallengeBook::add(std::shared_ptr<OpenChallenge> challenge, std::int64_t now_ns) {
  constexpr std::size_t kIdBytes = 16;
  const std::lock_guard lock(mutex_);
  forget_old(now_ns);
  forget_uncommitted(challenge->run_id);
  if (open_.size() >= kMost) return {};
  std::string id = hex(random_bytes(kIdBytes));
  challenge->id = id;
  open_.emplace(id, std::move(challenge));
  return id;
}

std::shared_ptr<OpenChallenge> ChallengeBook::find(std::string_view id, std::int64_t now_ns) {
  const std::lock_guard lock(mutex_);
  forget_old(now_ns);
  const auto found = open_.find(id);
  return found == open_.end() ? nullptr : found->second;
}

void ChallengeBook::forget_old(std::int64_t now_ns) {
  std::erase_if(open_, [&](const auto& entry) { return now_ns - entry.second->issued_ns > kLifeNs; });
}

void ChallengeBook::forget_uncommitted(std::string_view run_id) {
  std::erase_if(open_, [&](const auto& entry) {
    OpenChallenge& other = *entry.second;
    if (other.run_id != run_id) return false;
    const std::lock_guard lock(other.mutex);
    return other.state == ChallengeState::asked;
  });
}

}  // namespace gpuassay
