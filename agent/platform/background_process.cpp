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

#include "agent/file_descriptor.h"
#include "agent/stop_line.h"

namespace gpuassay {
namespace {

using Clock = std::chrono::steady_clock;

/// Last byte of a whole answer: the process ends with it, or goes on.
constexpr char kEnd = '\4', kGoesOn = '\5';
constexpr std::size_t kLongestAnswer = std::size_t{64} << 10U;

bool write_all(int to, std::string_view rest) {
  while (!rest.empty()) {
    const ssize_t written = write(to, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Never returns: threads of the work may still wait for servers.
[[noreturn]] void be_process(pid_t parent, int answer_to, const std::function<BackgroundAnswer()>& work,
                             unsigned limit_s, int kept) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  without_stop_line();
  close_inherited({answer_to, kept});
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  std::signal(SIGALRM, SIG_DFL);
  alarm(limit_s);
  // Ctrl-C reaches the whole group, and asks for a partial result: this part of it is still wanted.
  std::signal(SIGINT, SIG_IGN);
  try {
    BackgroundAnswer answer = work();
    answer.text += answer.then ? kGoesOn : kEnd;
    if (!write_all(answer_to, answer.text)) _exit(1);
    alarm(0);
    close(answer_to);
    if (answer.then) answer.then();
  } catch (const std::exception&) {
    _exit(1);
  }
  _exit(0);
}

}  // namespace

BackgroundProcess::BackgroundProcess(const std::function<BackgroundAnswer()>& work, unsigned seconds_limit, int kept) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    heard_ = true;
    return;
  }
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    be_process(parent, ends[1], work, seconds_limit, kept);
  }
  close(ends[1]);
  answer_from_ = ends[0];
  if (pid_ < 0) end();
}

BackgroundProcess::~BackgroundProcess() { end(); }

bool BackgroundProcess::wait_until(Clock::time_point deadline, int stop_fd) {
  while (!heard_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    std::array<pollfd, 2> waiting{{{answer_from_, POLLIN, 0}, {stop_fd, POLLIN, 0}}};
    const int ready = poll(waiting.data(), waiting.size(), left > 0 ? static_cast<int>(left) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || waiting[0].revents == 0) return false;
    std::array<char, 4096> part{};
    const ssize_t count = read(answer_from_, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count > 0) received_.append(part.data(), static_cast<std::size_t>(count));
    if (count <= 0 || received_.size() > kLongestAnswer) take_answer();
  }
  return true;
}

void BackgroundProcess::take_answer() {
  const bool goes_on = received_.ends_with(kGoesOn);
  const bool whole = received_.size() <= kLongestAnswer && (goes_on || received_.ends_with(kEnd));
  if (whole) answer_ = received_.substr(0, received_.size() - 1);
  if (whole && goes_on) {
    stop_listening();
  } else {
    end();
  }
}

void BackgroundProcess::stop_listening() {
  heard_ = true;
  if (answer_from_ >= 0) close(answer_from_);
  answer_from_ = -1;
}

void BackgroundProcess::end() {
  stop_listening();
  if (pid_ <= 0) return;
  // It touches nothing but sockets, so it is gone at once.
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace gpuassay
