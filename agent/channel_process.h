// A forked process that is talked to in messages, and that this one stays free to kill.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

/// The child dies with its parent (also by kill -9), ignores SIGINT, SIGTERM and SIGHUP (the parent decides), and has
/// no descriptor of the parent's but the standard streams, its channel and `kept_fd`. Not copyable; the destructor
/// kills and reaps.
class ChannelProcess {
 public:
  /// Forks at once; `body(channel)` runs in the child, which ends when it returns: without static destructors, as the
  /// libraries loaded there may crash or hang in theirs. The channel is a SOCK_SEQPACKET socket: one message each.
  explicit ChannelProcess(const std::function<void(int channel)>& body, int kept_fd = -1);
  ~ChannelProcess();
  ChannelProcess(const ChannelProcess&) = delete;
  ChannelProcess& operator=(const ChannelProcess&) = delete;

  /// Readable (poll) when a message is there or the child ended.
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Kills without waiting; end() is still to be called. So that many are ended as fast as one.
  void kill() const;
  /// Kills and reaps, waiting at most a second for a process stuck in the kernel (it is then abandoned).
  /// Returns how it ended in words, for example "killed by signal 11 (Segmentation fault)".
  std::string end();

 private:
  pid_t pid_ = -1;
  int fd_ = -1;
};

/// False when the other end is gone.
[[nodiscard]] bool send_message(int channel, std::string_view message);
/// The next message, at most `most_bytes` of it; empty when the other end is gone.
[[nodiscard]] std::optional<std::string> receive_message(int channel, std::size_t most_bytes);

}  // namespace gpuassay
