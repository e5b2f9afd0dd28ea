#include "collector/export/duckdb.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "core/error.h"

namespace gpuassay {
namespace {

constexpr int kCannotStart = 127;
constexpr int kCannotEnter = 126;
constexpr std::string_view kOldest = "v1.2";

/// Bounded, one thread, so that the same rows give the same file; never the network, and no files of the user's home.
constexpr const char* kSettings =
    "SET threads = 1; SET memory_limit = '1GB'; SET preserve_insertion_order = true; SET enable_progress_bar = false; "
    "SET autoinstall_known_extensions = false; SET temp_directory = 'scratch'; ";

std::string what_was_written(std::FILE* file) {
  if (std::fseek(file, 0, SEEK_SET) != 0) return {};
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file)) text.append(buffer.data(), count);
  return text;
}

/// Errors have several lines, and the last ones are advice to those who type SQL.
std::string first_line(const std::string& text) {
  std::string line = text.substr(0, std::min(text.find("\nTry setting"), text.find("\n\n")));
  std::replace(line.begin(), line.end(), '\n', ' ');
  constexpr std::size_t kLongest = 500;
  return line.substr(0, kLongest);
}

/// {1, 4} of "v1.4.4"; {0, 0} of what is no version.
std::pair<int, int> release_of(std::string_view version) {
  std::pair<int, int> release;
  const char* const end = version.data() + version.size();
  const auto major = std::from_chars(version.data() + std::min<std::size_t>(1, version.size()), end, release.first);
  if (major.ec == std::errc() && major.ptr != end) std::from_chars(major.ptr + 1, end, release.second);
  return release;
}

/// Between fork and exec: nothing but system calls.
[[noreturn]] void become_duckdb(pid_t parent, int input, int output, int errors, const char* folder,
                                char* const* arguments) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  if (::chdir(folder) != 0) ::_exit(kCannotEnter);
  ::execvp(arguments[0], arguments);
  ::_exit(kCannotStart);
}

}  // namespace

DuckDb::DuckDb(const std::string& program)
    // The child works in another folder.
    : program_(program.find('/') == std::string::npos ? program : std::filesystem::absolute(program).string()) {
  std::string said;
  try {
    said = DuckDbChild(*this, "/", "SELECT version()").finish();
  } catch (const Error& error) {
    throw Error(
        ErrorCode::library_missing,
        fmt::format("cannot use {} to write Parquet ({}); install DuckDB, for instance with `pip install duckdb-cli`, "
                    "or name its program with --duckdb",
                    program_, error.what()));
  }
  const std::size_t start = said.find('v', said.find(':'));
  version_ = said.substr(std::min(start, said.size()), said.find('"', start) - start);
  if (release_of(version_) < release_of(kOldest))
    throw Error(ErrorCode::library_missing,
                fmt::format("{} is DuckDB '{}', and the export needs {} or newer; install that, for instance with "
                            "`pip install duckdb-cli`",
                            program_, version_, kOldest));
}

DuckDbChild::DuckDbChild(const DuckDb& duckdb, const std::string& folder, const std::string& sql)
    : output_(std::tmpfile()), errors_(std::tmpfile()) {
  ::signal(SIGPIPE, SIG_IGN);  // a child that died is noticed by write()
  std::array<int, 2> ends{-1, -1};
  if (!output_ || !errors_ || ::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw_errno(ErrorCode::not_saved, "cannot make the files that DuckDB needs", errno);
  std::array<std::string, 8> words{duckdb.program(), "-init", "/dev/null", "-batch",
                                   "-bail",          "-json", "-c",        kSettings + sql};
  std::array<char*, words.size() + 1> arguments{};
  std::transform(words.begin(), words.end(), arguments.begin(), [](std::string& word) { return word.data(); });
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  const int problem = errno;
  if (pid_ == 0)
    become_duckdb(parent, ends[0], ::fileno(output_.get()), ::fileno(errors_.get()), folder.c_str(), arguments.data());
  ::close(ends[0]);
  input_ = ends[1];
  if (pid_ < 0) throw_errno(ErrorCode::not_saved, "cannot start DuckDB", problem);
}

DuckDbChild::~DuckDbChild() {
  if (input_ >= 0) ::close(input_);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void DuckDbChild::write(std::string_view bytes) {
  constexpr std::size_t kAtOnce = 256U << 10U;
  pending_ += bytes;
  if (pending_.size() >= kAtOnce) flush();
}

void DuckDbChild::flush() {
  std::string_view rest = pending_;
  while (!rest.empty()) {
    const ssize_t written = ::write(input_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_failure(wait());
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  pending_.clear();
}

std::string DuckDbChild::finish() {
  flush();
  ::close(input_);
  input_ = -1;
  const int status = wait();
  if (status != 0) throw_failure(status);
  return what_was_written(output_.get());
}

int DuckDbChild::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return status;
}

void DuckDbChild::throw_failure(int status) {
  std::string why = first_line(what_was_written(errors_.get()));
  if (WIFSIGNALED(status)) why = fmt::format("it was killed by signal {}", WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) == kCannotStart) why = "there is no such program";
  if (WIFEXITED(status) && WEXITSTATUS(status) == kCannotEnter) why = "its folder is gone";
  if (why.empty()) why = fmt::format("it ended with status {}", WEXITSTATUS(status));
  throw Error(ErrorCode::not_saved,
              fmt::format("DuckDB did not write the export: {}; the former export is untouched", why));
}

}  // namespace gpuassay
