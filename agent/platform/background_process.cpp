#include "agent/platform/background_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <string_view>

namespace gpuassay {
namespace {

using Clock = std::chrono::steady_clock;

/// Last byte of a whole answer.
constexpr char kEnd = '\4';
constexpr std::size_t kLongestAnswer = std::size_t{64} << 10U;

/// Never returns: threads of the work may still wait for servers.
[[noreturn]] void be_process(pid_t parent, int answer_to, const std::function<std::string()>& work, unsigned limit_s) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  std::signal(SIGALRM, SIG_DFL);
  alarm(limit_s);
  // Ctrl-C reaches the whole group, and asks for a partial result: this part of it is still wanted.
  std::signal(SIGINT, SIG_IGN);
  std::string answer;
  try {
    answer = work() + kEnd;
  } catch (const std::exception&) {
    _exit(1);
  }
  for (std::string_view rest = answer; !rest.empty();) {
    const ssize_t written = write(answer_to, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(1);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  _exit(0);
}

}  // namespace

BackgroundProcess::BackgroundProcess(const std::function<std::string()>& work, unsigned seconds_limit) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    ended_ = true;
    return;
  }
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    close(ends[0]);
    be_process(parent, ends[1], work, seconds_limit);
  }
  close(ends[1]);
  answer_from_ = ends[0];
  if (pid_ < 0) end();
}

BackgroundProcess::~BackgroundProcess() { end(); }

bool BackgroundProcess::wait_until(Clock::time_point deadline) {
  while (!ended_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waiting{answer_from_, POLLIN, 0};
    const int ready = poll(&waiting, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    std::array<char, 4096> part{};
    const ssize_t count = read(answer_from_, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count > 0) received_.append(part.data(), static_cast<std::size_t>(count));
    if (count <= 0 || received_.size() > kLongestAnswer) {
      if (received_.size() <= kLongestAnswer && received_.ends_with(kEnd))
        answer_ = received_.substr(0, received_.size() - 1);
      end();
    }
  }
  return true;
}

void BackgroundProcess::end() {
  ended_ = true;
  if (answer_from_ >= 0) close(answer_from_);
  answer_from_ = -1;
  if (pid_ <= 0) return;
  // It touches nothing but sockets, so it is gone at once.
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace gpuassay
