#include "core/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "core/error.h"

namespace gpuassay {
namespace {

std::string_view remedy_for(int primary_code) {
  switch (primary_code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "another program holds the database, try again";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return "the file is damaged, restore it from a backup";
    default: return "check that the disk has space and that the file may be read and written";
  }
}

/// One line: what was tried, what SQLite said, what to do.
[[noreturn]] void throw_database_error(sqlite3* handle, int status, std::string_view what) {
  const int code = handle != nullptr ? sqlite3_extended_errcode(handle) : status;
  const char* const why = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(status);
  throw Error(ErrorCode::database, fmt::format("{}: {}; {}", what, why, remedy_for(status & 0xff)),
              code != SQLITE_OK ? code : status);
}

int checked_length(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw Error(ErrorCode::database, "a value is too large for the database; store less");
  return static_cast<int>(bytes.size());
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

class SqliteQuery final : public PreparedQuery {
 public:
  SqliteQuery(sqlite3* handle, std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const int status = sqlite3_prepare_v2(handle, sql.data(), checked_length(sql), &statement, nullptr);
    statement_.reset(statement);
    if (status != SQLITE_OK) throw_database_error(handle, status, "a database statement is not understood");
    if (statement == nullptr) throw Error(ErrorCode::database, "an empty database statement; report this as a bug");
  }

  void bind_integer(int parameter, std::int64_t value) override {
    check(sqlite3_bind_int64(statement_.get(), parameter, value), "cannot bind an integer");
  }
  void bind_real(int parameter, double value) override {
    check(sqlite3_bind_double(statement_.get(), parameter, value), "cannot bind a number");
  }
  void bind_text(int parameter, std::string_view text) override {
    const char* const data = text.empty() ? "" : text.data();  // a null pointer would bind NULL
    check(sqlite3_bind_text64(statement_.get(), parameter, data, text.size(), copied(), SQLITE_UTF8),
          "cannot bind a text");
  }
  void bind_blob(int parameter, std::string_view bytes) override {
    const char* const data = bytes.empty() ? "" : bytes.data();
    check(sqlite3_bind_blob64(statement_.get(), parameter, data, bytes.size(), copied()), "cannot bind bytes");
  }
  void bind_null(int parameter) override { check(sqlite3_bind_null(statement_.get(), parameter), "cannot bind null"); }

  bool step() override {
    if (is_done_) return false;  // SQLite would begin again
    const int status = sqlite3_step(statement_.get());
    if (status == SQLITE_ROW) return true;
    is_done_ = status == SQLITE_DONE;
    if (is_done_) return false;
    throw_database_error(sqlite3_db_handle(statement_.get()), status, "a database statement failed");
  }
  void reset() override {
    sqlite3_reset(statement_.get());
    is_done_ = false;
  }

  [[nodiscard]] bool is_null(int column) const override {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_.get(), column);
  }
  [[nodiscard]] double real(int column) const override { return sqlite3_column_double(statement_.get(), column); }
  [[nodiscard]] std::string text(int column) const override {
    const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    const int length = sqlite3_column_bytes(statement_.get(), column);
    return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(length));
  }

 private:
  /// SQLITE_TRANSIENT is a cast of -1 to a function pointer; the bind functions have no other way to ask for a copy.
  static sqlite3_destructor_type copied() { return reinterpret_cast<sqlite3_destructor_type>(std::intptr_t{-1}); }
  void check(int status, std::string_view what) const {
    if (status != SQLITE_OK) throw_database_error(sqlite3_db_handle(statement_.get()), status, what);
  }
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  bool is_done_ = false;
};

/// SQLite's findings have several lines.
std::string single_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void SqliteDatabase::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

SqliteDatabase::SqliteDatabase(const std::string& path, Mode mode, int busy_timeout_ms) {
  const int access = mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  // SQLITE_OPEN_NOFOLLOW would also refuse a symbolic link among the parent folders, such as a linked home.
  std::error_code ignored;
  if (std::filesystem::is_symlink(path, ignored))
    throw Error(ErrorCode::database, fmt::format("the database {} is a symbolic link; replace it by a file", path));
  sqlite3* handle = nullptr;
  const int status = sqlite3_open_v2(path.c_str(), &handle, access | SQLITE_OPEN_FULLMUTEX, nullptr);
  handle_.reset(handle);
  if (status != SQLITE_OK) throw_database_error(handle, status, fmt::format("cannot open the database {}", path));
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
  SqliteDatabase::execute("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF");
}

void SqliteDatabase::execute(const std::string& sql) {
  const int status = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) throw_database_error(handle_.get(), status, "a database statement failed");
}

std::int64_t SqliteDatabase::changes() const { return sqlite3_changes64(handle_.get()); }

std::unique_ptr<PreparedQuery> SqliteDatabase::prepare(std::string_view sql) {
  return std::make_unique<SqliteQuery>(handle_.get(), sql);
}

void SqliteDatabase::begin(TransactionKind kind) {
  // SQLite has one writer at a time. Taking the lock at once avoids that two readers both want to become it.
  execute(kind == TransactionKind::snapshot ? "BEGIN" : "BEGIN IMMEDIATE");
}

void SqliteDatabase::commit() { execute("COMMIT"); }

void SqliteDatabase::rollback() noexcept {
  // The status is ignored on purpose: SQLite rolls back by itself when the connection closes.
  sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void SqliteDatabase::require_sound() {
  Statement check(*this, "PRAGMA quick_check(1)");
  if (!check.step() || check.text(0) != "ok")
    throw Error(ErrorCode::database,
                fmt::format("the database is damaged: {}; nothing was changed, restore it from a backup",
                            single_line(check.text(0))));
}

}  // namespace gpuassay
