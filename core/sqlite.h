// How does C++ code talk to SQLite without leaking handles or ignoring a status?
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace gpuassay {

/// One open database; not for use by two threads at once. Every failure is Error{database} with SQLite's extended
/// result code as native code.
class Database {
 public:
  enum class Mode { read_only, read_write_create };

  /// Opens `path` (":memory:" for a private database). A lock held by another process is waited for at most
  /// `busy_timeout_ms`. Foreign keys are enforced; trust in the file's schema is switched off.
  explicit Database(const std::string& path, Mode mode = Mode::read_write_create, int busy_timeout_ms = 2'000);

  /// Runs one or more statements that return no rows of interest.
  void execute(const std::string& sql);
  /// Rows changed by the last insert, update or delete.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// One prepared statement. Parameters are numbered from 1, columns from 0. Must not outlive its Database.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, double value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, std::string_view bytes);
  Statement& bind_null(int parameter);
  template <class T>
  Statement& bind(int parameter, const std::optional<T>& value) {
    return value ? bind(parameter, *value) : bind_null(parameter);
  }

  /// Moves to the next row; false when there is none left.
  bool step();
  /// step() for a statement that returns no row, then reset() so that it can be bound again.
  void run();
  void reset();

  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  /// Copies of the column's bytes; empty for NULL.
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::optional<std::string> optional_text(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  void check(int status, std::string_view what) const;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A write transaction (BEGIN IMMEDIATE). Rolled back by the destructor unless commit() returned.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace gpuassay
