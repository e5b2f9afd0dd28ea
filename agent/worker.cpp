#include "agent/worker.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "agent/file_descriptor.h"
#include "core/error.h"
#include "core/json_guard.h"
#include "core/result_json.h"

namespace gpuassay {
namespace {

/// One message; a measurement with 64 samples is about 2 KB.
constexpr std::size_t kMaxMessageBytes = 65536;

/// What a case says that is to start together with others, and the request that then lets it.
constexpr std::string_view kWarm = "warm";
constexpr std::size_t kStart = std::numeric_limits<std::size_t>::max();

void wait_for_start(int fd) {
  std::size_t request = 0;
  const bool told = ::send(fd, kWarm.data(), kWarm.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kWarm.size());
  if (!told || ::recv(fd, &request, sizeof request, 0) != static_cast<ssize_t>(sizeof request)) ::_exit(0);
}

[[noreturn]] void serve_cases(int fd, const std::function<CaseRunner()>& make_runner) {
  std::optional<CaseRunner> runner;
  std::size_t index = 0;
  while (::recv(fd, &index, sizeof index, 0) == static_cast<ssize_t>(sizeof index)) {
    std::string answer;
    try {
      if (!runner) runner = make_runner();
      const CaseAnswer given = (*runner)(index, [fd] { wait_for_start(fd); });
      answer = nlohmann::json{{"measurement", to_json(given.measurement)},
                              {"process_spent", given.process_spent},
                              {"preparing_s", given.time.preparing_s},
                              {"measuring_s", given.time.measuring_s}}
                   .dump();
    } catch (const std::exception& error) {
      answer =
          nlohmann::json{{"worker_error", error.what()}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(answer.size())) break;
  }
  // No static destructors: the libraries loaded here may crash or hang in theirs, and nothing of ours is left to do.
  ::_exit(0);
}

/// 0 for what is no time that a case can have taken.
double seconds_in(const nlohmann::json& answer, const char* name) {
  constexpr double kMonth = 2.6e6;
  const auto found = answer.find(name);
  const double seconds = found != answer.end() && found->is_number() ? found->get<double>() : 0;
  return seconds >= 0 && seconds <= kMonth ? seconds : 0;
}

void become_worker(pid_t parent, int channel, int kept_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // the parent died between fork and prctl
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  close_inherited({channel, kept_fd});
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "exited with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Worker::Worker(const std::function<CaseRunner()>& make_runner, int kept_fd) {
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
    become_worker(parent, ends[1], kept_fd);
    serve_cases(ends[1], make_runner);
  }
  ::close(ends[1]);
  fd_ = ends[0];
}

Worker::~Worker() { end(); }

bool Worker::request(std::size_t index) const {
  return ::send(fd_, &index, sizeof index, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof index);
}

bool Worker::start() const { return request(kStart); }

bool Worker::says_warm() const {
  std::array<char, kWarm.size() + 1> begin{};
  const ssize_t size = ::recv(fd_, begin.data(), begin.size(), MSG_PEEK);
  if (size < 0 || std::string_view(begin.data(), static_cast<std::size_t>(size)) != kWarm) return false;
  return ::recv(fd_, begin.data(), begin.size(), 0) == size;
}

std::optional<CaseAnswer> Worker::receive() const {
  std::vector<char> buffer(kMaxMessageBytes);
  const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (size <= 0) return std::nullopt;
  // The libraries in the worker are not ours: what it sends is checked like any other input.
  const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  const nlohmann::json answer = parse_untrusted_json(text, JsonLimits{});
  if (answer.is_object() && answer.contains("worker_error")) {
    const nlohmann::json& said = answer.at("worker_error");
    throw Error(ErrorCode::library_failed, said.is_string() ? said.get<std::string>() : "an unreadable error");
  }
  if (!answer.is_object() || !answer.contains("measurement")) return std::nullopt;
  const auto spent = answer.find("process_spent");
  return CaseAnswer{measurement_from_json(answer.at("measurement")),
                    spent != answer.end() && spent->is_boolean() && spent->get<bool>(),
                    {seconds_in(answer, "preparing_s"), seconds_in(answer, "measuring_s")}};
}

void Worker::kill() const {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

std::string Worker::end() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  if (pid_ <= 0) return "already ended";
  int status = 0;
  // A worker that ended by itself keeps its own status; otherwise it is killed now.
  pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
  if (reaped == 0) ::kill(pid_, SIGKILL);
  constexpr int kTries = 100;
  constexpr timespec kPause{0, 10'000'000};
  for (int i = 0; reaped == 0 && i < kTries; ++i) {
    reaped = ::waitpid(pid_, &status, WNOHANG);
    if (reaped == 0) ::nanosleep(&kPause, nullptr);
  }
  pid_ = -1;
  return reaped > 0 ? describe(status) : "stuck in the kernel, abandoned";
}

}  // namespace gpuassay
