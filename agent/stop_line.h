// What is said when this process is asked to end while there is nothing to save (yet, or any more)?
#pragma once

#include <array>
#include <csignal>

namespace gpuassay {

inline constexpr std::array kStopSignals{SIGINT, SIGTERM, SIGHUP};

/// Whoever started this process does not want it to hear the signal: nohup, or a script that put it in the background.
bool is_ignored(int signal);

/// When the process is asked to end.
enum class StopMoment { before_measuring, while_sending, while_sending_what_is_not_saved, while_verifying };

/// While it lives SIGINT, SIGTERM and SIGHUP say in one line on stderr what there is, and end the process at once, as
/// they would without it; as the first process of a container with 128 and the signal's number. Signals that are
/// blocked meanwhile (InterruptSignals) arrive there instead. The destructor restores what was before.
class StopLine {
 public:
  explicit StopLine(StopMoment moment);
  ~StopLine();
  StopLine(const StopLine&) = delete;
  StopLine& operator=(const StopLine&) = delete;

 private:
  std::array<struct sigaction, kStopSignals.size()> previous_{};
};

/// For a process that was just forked: the line is its parent's to say.
void without_stop_line();

}  // namespace gpuassay
