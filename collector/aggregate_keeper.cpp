#include "collector/aggregate_keeper.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>

namespace gpuassay {

AggregateKeeper::AggregateKeeper(ConnectionPool& pool, std::function<std::int64_t()> now_ms,
                                 std::function<void(std::string_view)> log, KeeperOptions options)
    : pool_(pool), now_ms_(std::move(now_ms)), log_(std::move(log)), options_(options), thread_([this] { keep(); }) {}

AggregateKeeper::~AggregateKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

std::shared_ptr<const Aggregates> AggregateKeeper::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void AggregateKeeper::note_change() {
  {
    const std::lock_guard lock(mutex_);
    changed_ = true;
  }
  woken_.notify_all();
}

void AggregateKeeper::keep() {
  // Of this thread alone, on Linux: requests go first while the runs of a quarter are counted.
  constexpr int kGivesWay = 10;
  (void)::setpriority(PRIO_PROCESS, 0, kGivesWay);
  auto pause = options_.shortest_pause;
  do {
    const auto started = std::chrono::steady_clock::now();
    if (!read_once()) note_change();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started);
    pause = std::max(
        options_.shortest_pause,
        std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(took.count()) / options_.busiest)));
  } while (wait(pause));
}

bool AggregateKeeper::read_once() {
  try {
    auto made =
        std::make_shared<const Aggregates>(read_aggregates(*pool_.take(ConnectionPool::Access::read), now_ms_()));
    const std::lock_guard lock(mutex_);
    current_ = std::move(made);
    return true;
  } catch (const std::exception& error) {
    log_(fmt::format("the aggregates could not be made anew: {}", error.what()));
    return false;
  }
}

bool AggregateKeeper::wait(std::chrono::milliseconds shortest) {
  std::unique_lock lock(mutex_);
  if (woken_.wait_for(lock, shortest, [this] { return stopping_; })) return false;
  woken_.wait_for(lock, options_.longest_pause, [this] { return stopping_ || changed_; });
  changed_ = false;
  return !stopping_;
}

}  // namespace gpuassay
