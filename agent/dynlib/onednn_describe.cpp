// Looks at oneDNN in a child process; see describe() in onednn.h.
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>

#include "agent/dynlib/onednn.h"
#include "core/error.h"

namespace gpuassay::onednn {
namespace {

/// Loading takes about 30 ms from a cold disk cache; a library that needs longer than this hangs.
constexpr int kLookTimeoutMs = 10'000;
/// The child's answer is one short line; more than this is not from our code.
constexpr std::size_t kMaxAnswerBytes = 4096;

/// One line: "ok\t<path_kind>\t<version>" or "bad\t<reason>". Runs in the child.
std::string look(const LibrarySearch& search) {
  try {
    const LoadedLibrary loaded = load(search);
    return fmt::format("ok\t{}\t{}.{}.{}", loaded.library.path_kind(), loaded.version.major, loaded.version.minor,
                       loaded.version.patch);
  } catch (const std::exception& error) {
    return std::string("bad\t") + error.what();
  }
}

std::string read_answer(int descriptor) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(kLookTimeoutMs);
  std::string answer;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waiting{descriptor, POLLIN, 0};
    const int ready = left > 0 ? poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return fmt::format("bad\tloading {} did not end within 10 s; {}", kSoname, kRemedy);
    char part[512];
    const ssize_t count = read(descriptor, part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || answer.size() > kMaxAnswerBytes) return answer;
    answer.append(part, static_cast<std::size_t>(count));
  }
}

std::string look_in_child(const LibrarySearch& search) {
  int ends[2];
  if (pipe(ends) != 0) throw_errno(ErrorCode::internal, "cannot create a pipe to look for oneDNN", errno);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    const int reason = errno;
    close(ends[0]);
    close(ends[1]);
    throw_errno(ErrorCode::internal, "cannot start a process to look for oneDNN", reason);
  }
  if (child == 0) {
    close(ends[0]);
    // A library that hangs while it is loaded must not outlive the run.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    const std::string answer = look(search);
    const ssize_t written = write(ends[1], answer.data(), answer.size());
    _exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string answer = read_answer(ends[0]);
  close(ends[0]);
  kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return answer;
}

}  // namespace

std::vector<Library> describe(const LibrarySearch& search) {
  const std::string answer = look_in_child(search);
  Library entry{"onednn", std::nullopt, "absent", std::nullopt, std::nullopt};
  const std::size_t first = answer.find('\t');
  const std::size_t second = first == std::string::npos ? first : answer.find('\t', first + 1);
  if (answer.rfind("ok\t", 0) == 0 && second != std::string::npos) {
    entry.path_kind = answer.substr(first + 1, second - first - 1);
    entry.version = answer.substr(second + 1);
    entry.chosen_for = "cpu";
  } else {
    entry.rejected_reason =
        first == std::string::npos ? fmt::format("loading {} crashed; {}", kSoname, kRemedy) : answer.substr(first + 1);
  }
  return {entry};
}

}  // namespace gpuassay::onednn
