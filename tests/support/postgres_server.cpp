#include "tests/support/postgres_server.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "collector/postgres.h"
#include "core/error.h"

namespace gpuassay::test {
namespace {

namespace fs = std::filesystem;

/// The programs of the newest version installed.
std::optional<fs::path> newest_programs() {
  std::optional<fs::path> newest;
  int newest_version = 0;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", missing)) {
    const int version = static_cast<int>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
    if (version <= newest_version || !fs::exists(entry.path() / "bin/initdb")) continue;
    newest = entry.path() / "bin";
    newest_version = version;
  }
  return newest;
}

/// The server refuses to run as root.
void become_unprivileged() {
  if (::geteuid() != 0) return;
  const passwd* const nobody = ::getpwnam("nobody");
  if (nobody == nullptr || ::setgroups(0, nullptr) != 0 || ::setgid(nobody->pw_gid) != 0 ||
      ::setuid(nobody->pw_uid) != 0)
    ::_exit(126);
}

pid_t start_program(const fs::path& program, const std::string& arguments, const fs::path& folder) {
  std::vector<std::string> words{program.string()};
  std::istringstream text(arguments);
  for (std::string word; text >> word;) words.push_back(word);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int log = ::open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  become_unprivileged();
  ::prctl(PR_SET_PDEATHSIG, SIGINT);
  if (::chdir(folder.c_str()) != 0) ::_exit(126);
  ::setenv("LC_ALL", "C", 1);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

std::string text_of(const fs::path& file) {
  std::ifstream input(file);
  return {std::istreambuf_iterator<char>(input), {}};
}

/// All processes whose parent is `parent`: the server's own.
std::vector<pid_t> children_of(pid_t parent) {
  std::istringstream text(text_of("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; text >> child;) children.push_back(child);
  return children;
}

}  // namespace

bool PostgresServer::is_installed() { return newest_programs().has_value(); }

PostgresServer::PostgresServer() : programs_(newest_programs().value()) {
  if (const passwd* const nobody = ::getpwnam("nobody"); ::geteuid() == 0 && nobody != nullptr)
    if (::chown(folder().c_str(), nobody->pw_uid, nobody->pw_gid) != 0)
      throw std::runtime_error("cannot give away a folder");
  run("initdb", "-D data -U test -A trust -E UTF8 --locale=C --no-sync");
  start();
}

PostgresServer::~PostgresServer() {
  if (process_ > 0) kill();
}

void PostgresServer::run(const std::string& program, const std::string& arguments) const {
  int status = 0;
  ::waitpid(start_program(programs_ / program, arguments, folder()), &status, 0);
  if (status != 0) throw std::runtime_error(program + " failed: " + text_of(folder() / "log"));
}

bool PostgresServer::answers() const {
  try {
    PostgresOptions options;
    options.url = url("postgres", folder());
    PostgresDatabase database(options);
    return true;
  } catch (const Error&) {
    return false;
  }
}

void PostgresServer::start() {
  // Polling, as there is nothing else to wait for; after a kill it can fail while old processes still hold the memory.
  for (int attempt = 0; attempt < 600; ++attempt) {
    if (process_ <= 0)
      process_ = start_program(
          programs_ / "postgres",
          "-D data -k " + folder().string() + " -c listen_addresses= -c fsync=off -c jit=off -c max_connections=50",
          folder());
    if (answers()) return;
    if (::waitpid(process_, nullptr, WNOHANG) == process_) process_ = -1;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw std::runtime_error("PostgreSQL did not start: " + text_of(folder() / "log"));
}

void PostgresServer::kill() {
  const auto children = children_of(process_);
  ::kill(process_, SIGKILL);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void PostgresServer::restart() {
  ::kill(process_, SIGINT);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
  start();
}

std::string PostgresServer::make_database(const std::string& collation) {
  const std::string name = "db" + std::to_string(++databases_);
  PostgresOptions options;
  options.url = url("postgres", folder());
  PostgresDatabase database(options);
  database.execute("CREATE DATABASE " + name + " TEMPLATE template0 LC_COLLATE '" + collation + "' LC_CTYPE '" +
                   collation + "'");
  return url(name, folder());
}

std::string PostgresServer::url(const std::string& database, const std::filesystem::path& socket_folder) const {
  return "postgresql://test:S3cret-of-the-test@/" + database + "?host=" + socket_folder.string();
}

}  // namespace gpuassay::test
