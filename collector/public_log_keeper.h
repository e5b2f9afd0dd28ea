// Who puts acknowledged runs into the public log, and signs it every hour?
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

#include "collector/public_log.h"

namespace gpuassay {

/// Keeps the log in its own thread: at the start everything that a kill or a former version left waiting, then what
/// comes. Apart from the uploads, so that they never wait for one another's place in the tree.
class PublicLogKeeper {
 public:
  /// `public_log` must outlive this. `problem` receives a line when it failed, and is called by the thread.
  PublicLogKeeper(PublicLog& public_log, std::function<void(std::string_view)> problem);
  /// What was acknowledged before is in the log afterwards, unless the database does not work.
  ~PublicLogKeeper();
  PublicLogKeeper(const PublicLogKeeper&) = delete;
  PublicLogKeeper& operator=(const PublicLogKeeper&) = delete;

  /// A run was stored.
  void note_change();

 private:
  using Clock = std::chrono::steady_clock;
  void keep();
  /// False when it failed, and said so.
  bool keep_once();
  void look_for_missing();
  bool wait(std::chrono::milliseconds shortest, std::chrono::milliseconds longest);

  PublicLog& log_;
  std::function<void(std::string_view)> problem_;
  Clock::time_point next_look_{};
  std::mutex mutex_;
  std::condition_variable woken_;
  bool changed_ = false, stopping_ = false;
  std::thread thread_;  // the last member: it uses the others
};

/// Puts everything that waits into the log.
void append_all_waiting(PublicLog& public_log);

}  // namespace gpuassay
