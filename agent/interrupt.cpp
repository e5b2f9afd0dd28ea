#include "agent/interrupt.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "agent/stop_line.h"
#include "core/error.h"

namespace gpuassay {

InterruptSignals::InterruptSignals() {
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  for (const int signal : kStopSignals) {
    if (!is_ignored(signal)) sigaddset(&stop_signals, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &stop_signals, &previous_mask_);
  fd_ = ::signalfd(-1, &stop_signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) {
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
    throw_errno(ErrorCode::internal, "cannot watch for stop signals", error);
  }
}

InterruptSignals::~InterruptSignals() {
  // Take the signals that were already acted upon, or restoring the mask would deliver them once more.
  signalfd_siginfo taken{};
  while (::read(fd_, &taken, sizeof taken) == static_cast<ssize_t>(sizeof taken)) {
  }
  ::close(fd_);
  ::pthread_sigmask(SIG_SETMASK, &previous_mask_, nullptr);
}

}  // namespace gpuassay
