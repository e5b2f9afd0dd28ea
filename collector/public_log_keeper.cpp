#include "collector/public_log_keeper.h"

#include <fmt/format.h>

#include <exception>

namespace gpuassay {
namespace {

using std::chrono::milliseconds;

/// Between two transactions of the log, whose commits cost the uploads' disk: what came meanwhile goes together.
constexpr milliseconds kShortestPause{200};
/// Another collector of the same database may have been killed with runs waiting.
constexpr milliseconds kLongestPause{60'000};
constexpr milliseconds kPauseAfterFailure{5'000};
/// Runs of collectors of a former version beside this one: they know of no log.
constexpr std::chrono::hours kLookPause{1};

}  // namespace

PublicLogKeeper::PublicLogKeeper(PublicLog& public_log, std::function<void(std::string_view)> problem)
    : log_(public_log), problem_(std::move(problem)), thread_([this] { keep(); }) {}

PublicLogKeeper::~PublicLogKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

void PublicLogKeeper::note_change() {
  {
    const std::lock_guard lock(mutex_);
    changed_ = true;
  }
  woken_.notify_all();
}

void PublicLogKeeper::keep() {
  bool works = true;
  do {
    works = keep_once();
  } while (works ? wait(kShortestPause, kLongestPause) : wait(kPauseAfterFailure, kPauseAfterFailure));
  keep_once();
}

bool PublicLogKeeper::keep_once() {
  try {
    if (Clock::now() >= next_look_) {
      look_for_missing();
      next_look_ = Clock::now() + kLookPause;
    }
    append_all_waiting(log_);
    log_.keep_hourly();
    return true;
  } catch (const std::exception& error) {
    problem_(fmt::format("the public log could not be continued, tried again in a moment: {}", error.what()));
    return false;
  }
}

/// Each piece goes into the tree before the next one, so that the order of receiving is kept.
void PublicLogKeeper::look_for_missing() {
  append_all_waiting(log_);
  RunCursor after;
  while (log_.adopt(after) > 0) {
    append_all_waiting(log_);
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
  log_.forget_retracted();
}

bool PublicLogKeeper::wait(milliseconds shortest, milliseconds longest) {
  std::unique_lock lock(mutex_);
  if (woken_.wait_for(lock, shortest, [this] { return stopping_; })) return false;
  woken_.wait_for(lock, longest - shortest, [this] { return stopping_ || changed_; });
  changed_ = false;
  return !stopping_;
}

void append_all_waiting(PublicLog& public_log) {
  while (public_log.append_waiting() == kLoggedAtOnce) {
  }
}

}  // namespace gpuassay
