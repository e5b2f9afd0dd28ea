#include "collector/floor/check_queue.h"

#include <exception>
#include <utility>

namespace gpuassay {

CheckQueue::CheckQueue(std::function<void(std::string_view)> log)
    : log_(std::move(log)), thread_([this] { serve(); }) {}

CheckQueue::~CheckQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

bool CheckQueue::add(std::function<void()> check) {
  {
    const std::lock_guard lock(mutex_);
    if (checks_.size() >= kMost) return false;
    checks_.push_back(std::move(check));
  }
  woken_.notify_one();
  return true;
}

void CheckQueue::serve() {
  for (;;) {
    std::function<void()> check;
    {
      std::unique_lock lock(mutex_);
      woken_.wait(lock, [this] { return stopping_ || !checks_.empty(); });
      if (stopping_) return;
      check = std::move(checks_.front());
      checks_.pop_front();
    }
    try {
      check();
    } catch (const std::exception& error) {
      log_(error.what());
    }
  }
}

}  // namespace gpuassay
