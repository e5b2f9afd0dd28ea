#include "collector/retention.h"

#include <fmt/format.h>

#include <exception>

#include "core/timestamp.h"

namespace gpuassay {
namespace {

constexpr std::chrono::hours kPause{1};
/// In one transaction: uploads wait meanwhile on SQLite.
constexpr std::size_t kAtOnce = 100;

std::size_t expire_all(RunStore& store, Excluded why, const std::optional<std::int64_t>& days, std::int64_t now_ms) {
  if (!days) return 0;
  std::size_t total = 0;
  for (;;) {
    const std::size_t erased = store.expire(why, now_ms - *days * kMsPerDay, kAtOnce, now_ms);
    total += erased;
    if (erased < kAtOnce) return total;
  }
}

}  // namespace

std::size_t apply_retention(RunStore& store, const RetentionPolicy& policy, std::int64_t now_ms) {
  return expire_all(store, Excluded::simulated, policy.simulated_days, now_ms) +
         expire_all(store, Excluded::quarantined, policy.quarantined_days, now_ms);
}

Retention::Retention(RunStore& store, RetentionPolicy policy, std::function<std::int64_t()> now_ms,
                     std::function<void(std::string_view)> log)
    : store_(store), policy_(policy), now_ms_(std::move(now_ms)), log_(std::move(log)), thread_([this] { keep(); }) {}

Retention::~Retention() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

void Retention::keep() {
  if (!policy_.simulated_days && !policy_.quarantined_days) return;
  std::unique_lock lock(mutex_);
  do {
    lock.unlock();
    try {
      const std::size_t erased = apply_retention(store_, policy_, now_ms_());
      if (erased > 0)
        log_(fmt::format("{} runs that count nowhere were older than they are kept and are gone", erased));
    } catch (const std::exception& error) {
      log_(fmt::format("old runs could not be removed, tried again in an hour: {}", error.what()));
    }
    lock.lock();
  } while (!woken_.wait_for(lock, kPause, [this] { return stopping_; }));
}

}  // namespace gpuassay
