#include "agent/dynlib/in_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <exception>
#include <string_view>
#include <thread>

#include "agent/stop_line.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// First and last byte of the child's answer; without the last it is cut off.
constexpr char kReturned = '+', kThrew = '-', kEnd = '\4';
/// A process that was killed is gone in milliseconds, except inside a driver call that nothing can interrupt.
constexpr std::chrono::seconds kReapLimit{2};

/// Everything the child does. Never returns: destructors and exit handlers of libraries may hang or crash.
[[noreturn]] void be_child(pid_t parent, int answer_to, const std::function<std::string()>& body) {
  // A library that hangs while it is loaded must not outlive the run.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  without_stop_line();
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  std::string answer;
  try {
    answer = kReturned + body();
  } catch (const std::exception& error) {
    answer = kThrew + std::string(error.what());
  }
  answer += kEnd;
  for (std::string_view rest = answer; !rest.empty();) {
    const ssize_t written = write(answer_to, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(1);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  _exit(0);
}

/// Reads until the child closes its end. False when the time is over first.
bool read_until_closed(int descriptor, std::chrono::steady_clock::time_point deadline, std::string& text) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd waiting{descriptor, POLLIN, 0};
    const int ready = left > 0 ? poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    char part[4096];
    const ssize_t count = read(descriptor, part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || text.size() > kMaxAnswerBytes) return true;
    text.append(part, static_cast<std::size_t>(count));
  }
}

/// Ends the child and returns its wait status; 0 when it cannot be ended, in which case it dies with this process.
int end_child(pid_t child) {
  const auto deadline = std::chrono::steady_clock::now() + kReapLimit;
  // One that is ending by itself must not be told apart from one that was killed by a signal of its own.
  for (bool killed = false; std::chrono::steady_clock::now() < deadline;) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return 0;
    if (!killed && std::chrono::steady_clock::now() > deadline - kReapLimit / 2) killed = kill(child, SIGKILL) == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return 0;
}

std::string ending_of(int status) {
  if (WIFSIGNALED(status)) return fmt::format("killed by signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

}  // namespace

std::chrono::milliseconds TryLimit::now() const {
  using std::chrono::milliseconds;
  const auto now = std::chrono::steady_clock::now();
  if (deadline <= now) return milliseconds(0);
  return deadline - now < each ? std::chrono::duration_cast<milliseconds>(deadline - now) : each;
}

ChildAnswer run_in_child(std::chrono::milliseconds limit, const std::function<std::string()>& body) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw_errno(ErrorCode::internal, "cannot create a pipe to a child process", errno);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    const int reason = errno;
    close(ends[0]);
    close(ends[1]);
    throw_errno(ErrorCode::internal, "cannot start a child process", reason);
  }
  if (child == 0) {
    close(ends[0]);
    be_child(parent, ends[1], body);
  }
  close(ends[1]);
  std::string answer;
  const bool in_time = read_until_closed(ends[0], deadline, answer);
  close(ends[0]);
  const bool whole = answer.size() >= 2 && answer.size() <= kMaxAnswerBytes && answer.back() == kEnd &&
                     (answer[0] == kReturned || answer[0] == kThrew);
  if (whole || !in_time) kill(child, SIGKILL);  // it has nothing more to do, and a driver's own clean-up may hang
  const int status = end_child(child);
  if (whole)
    return {answer[0] == kReturned ? ChildEnd::answered : ChildEnd::refused, answer.substr(1, answer.size() - 2)};
  if (in_time) return {ChildEnd::crashed, ending_of(status)};
  return {ChildEnd::hung, fmt::format("did not end within {:g} s", static_cast<double>(limit.count()) / 1000.0)};
}

}  // namespace gpuassay
