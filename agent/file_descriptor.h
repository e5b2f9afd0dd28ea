// Who closes this descriptor?
#pragma once

#include <unistd.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace gpuassay {

/// Owns a file descriptor; -1 owns nothing.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

/// For a process that was just forked: closes all but the standard streams and `kept`. The parent's locks and files are
/// not the child's, and must not outlive the parent in a child that is slow to go.
inline void close_inherited(std::initializer_list<int> kept) {
  constexpr int kMostDescriptors = 1024;
  for (int fd = STDERR_FILENO + 1; fd < kMostDescriptors; ++fd) {
    if (std::find(kept.begin(), kept.end(), fd) == kept.end()) ::close(fd);
  }
}

}  // namespace gpuassay
