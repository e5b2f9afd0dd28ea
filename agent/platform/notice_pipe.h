// How does the process that asks metadata services tell this one of a notice?
#pragma once

#include <optional>
#include <string>

#include "agent/file_descriptor.h"

namespace gpuassay {

/// Made before the process is forked. Where the system has no descriptors left, nothing is ever announced.
class NoticePipe {
 public:
  NoticePipe();

  /// From the process that asks: one line of at most 256 bytes, once.
  void announce(const std::string& text) const;

  /// Readable once something was announced. It does not tell the end of the process that asks, because this process
  /// keeps the writing end as well: a watcher that dies must not end a run. -1 without a pipe.
  [[nodiscard]] int fd() const { return from_.get(); }
  /// The end that the process which asks needs.
  [[nodiscard]] int writing_fd() const { return to_.get(); }
  /// What was announced, as text that may be published.
  const std::optional<std::string>& announced();

 private:
  FileDescriptor from_, to_;
  std::optional<std::string> announced_;
};

}  // namespace gpuassay
