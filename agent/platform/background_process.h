// Work that answers with text, and may go on after that, in a forked process beside this one: this one stays free of
// threads (it forks again for the GPU's libraries) and is neither held up nor brought down by it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace gpuassay {

/// What the work returns: its answer, and what the process goes on with after that, if anything. That has no limit of
/// time and is heard only by means of its own.
struct BackgroundAnswer {
  std::string text;
  std::function<void()> then = {};
};

/// The process dies with this one, at its limit by its own alarm, and when this object goes. Start it while this
/// process has a single thread.
class BackgroundProcess {
 public:
  /// `seconds_limit`: whole seconds after which the process ends itself if it has not answered. Where none can be
  /// started there is no answer. `kept`: a descriptor of this process that the work needs; it has no other.
  BackgroundProcess(const std::function<BackgroundAnswer()>& work, unsigned seconds_limit, int kept = -1);
  ~BackgroundProcess();
  BackgroundProcess(const BackgroundProcess&) = delete;
  BackgroundProcess& operator=(const BackgroundProcess&) = delete;

  /// True when there is an answer, or can be none any more; waits for that until `deadline`, or until `stop_fd` is
  /// readable (-1: never).
  bool wait_until(std::chrono::steady_clock::time_point deadline, int stop_fd = -1);
  /// What the work returned; empty when it failed or has not ended.
  [[nodiscard]] const std::optional<std::string>& answer() const { return answer_; }

 private:
  void take_answer();
  void stop_listening();
  void end();

  pid_t pid_ = -1;
  int answer_from_ = -1;
  bool heard_ = false;  ///< nothing more comes
  std::string received_;
  std::optional<std::string> answer_;
};

}  // namespace gpuassay
