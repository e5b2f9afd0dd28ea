// The process that measures. The parent sends it one case at a time and stays free to kill it: a hung or crashing
// driver costs one case, never the run.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "agent/channel_process.h"
#include "agent/measure_case.h"

namespace gpuassay {

/// Measures case number `index` of the plan; runs in the child.
using CaseRunner = std::function<CaseAnswer(std::size_t index, const StartSignal& when_all_are_warm)>;

/// One forked worker, which exits when the channel closes.
class Worker {
 public:
  /// Forks at once. `make_runner` is called in the child before the first case; what it throws is sent back as the
  /// failure of every case it is asked for.
  /// `kept_fd` stays open in the child as well; nothing else of the parent's does.
  explicit Worker(const std::function<CaseRunner()>& make_runner, int kept_fd = -1);

  /// Asks for case `index`; false when the worker is gone.
  [[nodiscard]] bool request(std::size_t index) const;

  /// Lets a case begin that asked to start together with others; false when the worker is gone.
  [[nodiscard]] bool start() const;
  /// Whether the message that is there asks for that; then it is taken away.
  [[nodiscard]] bool says_warm() const;

  /// Readable (poll) when a message is there or the worker ended.
  [[nodiscard]] int fd() const { return process_.fd(); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }

  /// The answer to the last request, empty when the worker ended or sent something unreadable instead.
  [[nodiscard]] std::optional<CaseAnswer> receive() const;

  /// Kills without waiting; end() is still to be called. So that many are ended as fast as one.
  void kill() const { process_.kill(); }

  /// Kills and reaps, waiting at most a second for a process stuck in the kernel (it is then abandoned).
  /// Returns how it ended in words, for example "killed by signal 11 (Segmentation fault)".
  std::string end() { return process_.end(); }

 private:
  ChannelProcess process_;
};

}  // namespace gpuassay
