#include "agent/commands/watch_log.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"

namespace gpuassay {

WatchLog::WatchLog(const std::optional<Spool>& spool, std::string watch_id, Progress& progress)
    : spool_(spool), watch_id_(std::move(watch_id)), progress_(progress) {
  if (!spool_) return;
  try {
    lock_ = spool_->lock_for_watch();
  } catch (const Error& error) {  // a lock that cannot be made is no reason not to watch
    if (error.code() == ErrorCode::busy) throw;
    progress_.warn(error.what());
  }
}

void WatchLog::append(const char* kind, const nlohmann::json& value) {
  waiting_.push_back(nlohmann::json{{kind, value}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (!spool_) return;
  try {
    if (!lines_) lines_ = spool_->start_watch(watch_id_);
    while (!waiting_.empty()) {
      lines_->append(waiting_.front());
      waiting_.erase(waiting_.begin());
    }
    is_told_ = false;
  } catch (const Error& error) {
    if (!std::exchange(is_told_, true))
      progress_.warn(std::string(error.what()) + " (watching all the same; it is tried again with every probe)");
  }
}

std::optional<std::string> WatchLog::file() const {
  if (!lines_) return std::nullopt;
  return (spool_->data_dir() / "watch" / (watch_id_ + ".jsonl")).string();
}

}  // namespace gpuassay
