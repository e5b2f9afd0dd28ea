#include "agent/stop_line.h"

#include <unistd.h>

#include <cstddef>
#include <string_view>

namespace gpuassay {
namespace {

/// Only calls that a handler may make.
void end_with(std::string_view line, int signal) {
  (void)!::write(STDERR_FILENO, line.data(), line.size());
  constexpr int kShellsSignalBase = 128;
  if (::getpid() == 1) ::_exit(kShellsSignalBase + signal);  // the system spares it the default effect
  std::signal(signal, SIG_DFL);
  ::raise(signal);  // arrives when the handler returns
}

void before_measuring(int signal) { end_with("gpuassay: asked to stop before anything was measured\n", signal); }
void while_sending(int signal) {
  end_with("gpuassay: asked to stop while it was sent; the result is saved: gpuassay upload sends it\n", signal);
}
void while_sending_unsaved(int signal) { end_with("gpuassay: asked to stop while the result was sent\n", signal); }
void while_verifying(int signal) {
  end_with("gpuassay: asked to stop while the collector checked this machine; the result was sent\n", signal);
}

/// What is ignored stays so: nohup asks for it.
void set_handler(int signal, void (*handler)(int)) {
  if (is_ignored(signal)) return;
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

void (*handler_of(StopMoment moment))(int) {
  switch (moment) {
    case StopMoment::before_measuring: return before_measuring;
    case StopMoment::while_sending: return while_sending;
    case StopMoment::while_sending_what_is_not_saved: return while_sending_unsaved;
    case StopMoment::while_verifying: return while_verifying;
  }
  return SIG_DFL;
}

}  // namespace

bool is_ignored(int signal) {
  struct sigaction now {};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

StopLine::StopLine(StopMoment moment) {
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
    ::sigaction(kStopSignals.at(i), nullptr, &previous_.at(i));
    set_handler(kStopSignals.at(i), handler_of(moment));
  }
}

StopLine::~StopLine() {
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) ::sigaction(kStopSignals.at(i), &previous_.at(i), nullptr);
}

void without_stop_line() {
  for (const int signal : kStopSignals) set_handler(signal, SIG_DFL);
}

}  // namespace gpuassay
