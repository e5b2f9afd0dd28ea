#include "agent/channel_process.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "agent/file_descriptor.h"
#include "core/error.h"

namespace gpuassay {
namespace {

void become_child(pid_t parent, int channel, int kept_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // the parent died between fork and prctl
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  close_inherited({channel, kept_fd});
}

std::string words_for(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "exited with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

ChannelProcess::ChannelProcess(const std::function<void(int channel)>& body, int kept_fd) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    throw_errno(ErrorCode::internal, "cannot make the channel to the measuring process", errno);
  }
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) {
    const int error = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    throw_errno(ErrorCode::internal, "cannot start the measuring process", error);
  }
  if (pid_ == 0) {
    become_child(parent, ends[1], kept_fd);
    body(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  fd_ = ends[0];
}

ChannelProcess::~ChannelProcess() { end(); }

void ChannelProcess::kill() const {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

std::string ChannelProcess::end() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  if (pid_ <= 0) return "already ended";
  int status = 0;
  // A child that ended by itself keeps its own status; otherwise it is killed now.
  pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
  if (reaped == 0) ::kill(pid_, SIGKILL);
  constexpr int kTries = 100;
  constexpr timespec kPause{0, 10'000'000};
  for (int i = 0; reaped == 0 && i < kTries; ++i) {
    reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped == 0) ::nanosleep(&kPause, nullptr);
  }
  pid_ = -1;
  return reaped > 0 ? words_for(status) : "stuck in the kernel, abandoned";
}

bool send_message(int channel, std::string_view message) {
  return ::send(channel, message.data(), message.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(message.size());
}

std::optional<std::string> receive_message(int channel, std::size_t most_bytes) {
  std::string message(most_bytes, '\0');
  const ssize_t size = ::recv(channel, message.data(), message.size(), 0);
  if (size <= 0) return std::nullopt;
  message.resize(static_cast<std::size_t>(size));
  return message;
}

}  // namespace gpuassay
