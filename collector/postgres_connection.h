// How do commands reach PostgreSQL, and their results come back, within a bounded time? Owns libpq's handles; nothing
// else calls the library.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/libpq.h"

namespace gpuassay {

/// Where the server is and how long it is waited for.
struct PostgresOptions {
  std::string url;  ///< postgresql://...; holds a password, so it is never shown
  std::chrono::seconds connect_time{5};
  std::chrono::milliseconds statement_time{10'000};  ///< the server ends a statement after this
  std::chrono::milliseconds lock_time{2'000};        ///< and one that waits for a lock after this
  /// How long the server's answer may take beyond statement_time, as on a dead network or a stopped server.
  std::chrono::milliseconds answer_grace{5'000};
  /// The answer to a statement that may take long: migrations, imports, exports.
  std::chrono::milliseconds long_answer_time{3'600'000};
};

/// One value for a statement, as libpq sends it.
struct PostgresParameter {
  std::string value;
  bool is_null = true, is_binary = false;
};

/// One result of the library: a row, or how a command ended.
class PostgresResult {
 public:
  PostgresResult() = default;
  PostgresResult(std::shared_ptr<const libpq::Functions> functions, libpq::ResultHandle handle);

  explicit operator bool() const { return handle_ != nullptr; }
  [[nodiscard]] bool is_row() const;
  [[nodiscard]] bool is_error() const;
  /// "message (SQLSTATE)" of an error.
  [[nodiscard]] std::string error() const;
  /// Rows that the command changed; empty when it was none that changes rows.
  [[nodiscard]] std::optional<std::int64_t> changed_rows() const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::string_view value(int column) const;
  [[nodiscard]] bool is_bytes(int column) const;

 private:
  struct Clear {
    std::shared_ptr<const libpq::Functions> functions;
    void operator()(libpq::ResultHandle handle) const noexcept { functions->clear(handle); }
  };
  std::unique_ptr<libpq::ResultRecord, Clear> handle_;
};

/// One connection. Failures are Error{database}, in one line without a secret; once the connection is lost every call
/// fails.
class PostgresConnection {
 public:
  /// Connects and sets up the session. Throws Error{library_missing} without libpq, Error{usage} for a URL that is
  /// none.
  explicit PostgresConnection(const PostgresOptions& options);

  /// Sends statements and waits until all are done.
  void command(const std::string& sql);
  void prepare(const std::string& name, const std::string& sql);
  /// Starts a prepared statement; next_result() then gives its rows one by one, and at last its end.
  void send(const std::string& name, const std::vector<PostgresParameter>& parameters);
  /// Empty after the last result. An error result is thrown once all results are read.
  PostgresResult next_result();

  [[nodiscard]] bool is_lost() const { return handle_ == nullptr; }
  /// True when a statement of the open transaction failed: a COMMIT would roll back silently.
  [[nodiscard]] bool has_failed_transaction() const;
  /// Ends the connection: the way to stop a long stream of rows.
  void drop() noexcept { handle_.reset(); }
  /// From now on statements may take long, or not.
  void set_patient(bool patient) { is_patient_ = patient; }

 private:
  struct Finish {
    std::shared_ptr<const libpq::Functions> functions;
    void operator()(libpq::ConnectionHandle handle) const noexcept { functions->finish(handle); }
  };

  void require_sendable(int accepted);
  void wait_until_answered();
  bool wait_for_socket(bool to_write, std::chrono::steady_clock::time_point deadline);
  void set_up_session();
  [[noreturn]] void lose(const std::string& why);
  [[nodiscard]] std::string library_message() const;
  [[nodiscard]] std::string without_secrets(std::string text) const;

  PostgresOptions options_;
  std::vector<std::string> secrets_;
  std::shared_ptr<const libpq::Functions> functions_;
  std::unique_ptr<libpq::ConnectionRecord, Finish> handle_;
  bool is_patient_ = false;
};

}  // namespace gpuassay
