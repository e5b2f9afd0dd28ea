#include "collector/line_writer.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace gpuassay {

void LineWriter::write(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (untold_ > 0 && write_now(tell_(untold_))) untold_ = 0;
  if (untold_ == 0 && write_now(std::string(line.substr(0, kMostBytes - 1)))) return;
  ++untold_;
  ++dropped_;
}

/// The descriptor is not made non-blocking: whoever started us has it too.
bool LineWriter::write_now(std::string text) const {
  text += '\n';
  // journald's end is a socket, of which poll() does not say for how much there is room.
  ssize_t written = ::send(descriptor_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (written >= 0 || errno != ENOTSOCK) return written >= 0;
  pollfd room{descriptor_, POLLOUT, 0};
  if (::poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return false;
  return ::write(descriptor_, text.data(), text.size()) >= 0;
}

}  // namespace gpuassay
