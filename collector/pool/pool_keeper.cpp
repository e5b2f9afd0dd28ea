#include "collector/pool/pool_keeper.h"

#include <fmt/format.h>

#include <exception>

namespace gpuassay {
namespace {

/// Nobody waits for a flag: uploads come first.
constexpr std::chrono::seconds kPoolPause{2};
constexpr std::chrono::hours kChangesPause{24};
/// More than uploads come in one pause, so that a backlog gets shorter.
constexpr std::size_t kCheckedAtOnce = 1'000;

}  // namespace

PoolKeeper::PoolKeeper(PoolChecks& checks, std::function<std::int64_t()> now_ms,
                       std::function<void(std::string_view)> problem)
    : checks_(checks), now_ms_(std::move(now_ms)), problem_(std::move(problem)), thread_([this] { keep(); }) {}

PoolKeeper::~PoolKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

void PoolKeeper::keep() {
  std::unique_lock lock(mutex_);
  while (!woken_.wait_for(lock, kPoolPause, [this] { return stopping_; })) {
    lock.unlock();
    keep_once();
    lock.lock();
  }
}

void PoolKeeper::keep_once() {
  try {
    checks_.check_new(kCheckedAtOnce, now_ms_());
    const auto now = std::chrono::steady_clock::now();
    if (now < next_look_at_changes_) return;
    checks_.check_changes(now_ms_());
    next_look_at_changes_ = now + kChangesPause;
  } catch (const std::exception& error) {
    problem_(fmt::format("runs could not be compared with one another, tried again in a moment: {}", error.what()));
  }
}

}  // namespace gpuassay
