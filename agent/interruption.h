// Is the run to stop before its end, and why? A signal asks for it, or the provider announces the end of the machine.
#pragma once

#include <string>

#include "agent/file_descriptor.h"
#include "agent/interrupt.h"
#include "agent/platform/notice_pipe.h"

namespace gpuassay {

/// Watches both, signals as InterruptSignals does.
class Interruption {
 public:
  /// `notices`: null where nobody watches for them; outlives this object.
  explicit Interruption(NoticePipe* notices);

  /// Readable once the run is to stop, and from then on.
  [[nodiscard]] int fd() const { return either_.get(); }
  /// Whether it is readable now.
  [[nodiscard]] bool requested() const;
  /// Why, once it is: the provider's notice where there is one, as that is also what the signal is about then.
  std::string reason();

 private:
  void watch(int fd) const;

  InterruptSignals signals_;
  NoticePipe* notices_;
  FileDescriptor either_;
};

}  // namespace gpuassay
