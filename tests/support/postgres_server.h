// A PostgreSQL server of the test's own: in a temporary directory, by an unprivileged user, on a socket there alone.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "tests/support/scratch_root.h"

namespace gpuassay::test {

class PostgresServer {
 public:
  /// Makes an empty cluster and starts it.
  PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer();

  /// False where PostgreSQL's server is not installed (Debian: apt-get install postgresql).
  static bool is_installed();

  /// Waits until the server answers.
  void start();
  /// kill -9 of the server with all its processes.
  void kill();
  /// As an administrator does, fast: open connections are ended.
  void restart();

  /// Makes an empty database and returns its URL. `collation` is what an operator may have chosen.
  std::string make_database(const std::string& collation = "C");
  /// The URL of a database through another socket folder, such as that of a Relay.
  [[nodiscard]] std::string url(const std::string& database, const std::filesystem::path& socket_folder) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] std::filesystem::path socket() const { return folder() / ".s.PGSQL.5432"; }

 private:
  void run(const std::string& program, const std::string& arguments) const;
  [[nodiscard]] bool answers() const;

  ScratchRoot folder_;
  std::filesystem::path programs_;
  pid_t process_ = -1;
  int databases_ = 0;
};

}  // namespace gpuassay::test
