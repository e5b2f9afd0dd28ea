// Has somebody asked the run to stop? Turns SIGINT, SIGTERM and SIGHUP into a readable descriptor.
#pragma once

#include <csignal>

namespace gpuassay {

/// While it lives the three signals, those that are not ignored, are blocked in the calling thread and arrive at fd()
/// instead. Create it before
/// any thread is started. The destructor restores the previous mask, so that a signal then has its default effect.
class InterruptSignals {
 public:
  InterruptSignals();
  ~InterruptSignals();
  InterruptSignals(const InterruptSignals&) = delete;
  InterruptSignals& operator=(const InterruptSignals&) = delete;

  /// Readable once a signal came; reading nothing from it keeps it readable.
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
  sigset_t previous_mask_{};
};

}  // namespace gpuassay
