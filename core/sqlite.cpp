#include "core/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <limits>

#include "core/error.h"

namespace gpuassay {
namespace {

/// One line: what was tried, what SQLite said, what to do.
[[noreturn]] void throw_database_error(sqlite3* handle, int status, std::string_view what) {
  const int code = handle != nullptr ? sqlite3_extended_errcode(handle) : status;
  const char* const why = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(status);
  const bool locked = (status & 0xff) == SQLITE_BUSY || (status & 0xff) == SQLITE_LOCKED;
  throw Error(ErrorCode::database,
              fmt::format("{}: {}; {}", what, why,
                          locked ? "another program holds the database, try again"
                                 : "check that the disk has space and that the file may be read and written"),
              code != SQLITE_OK ? code : status);
}

int checked_length(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw Error(ErrorCode::database, "a value is too large for the database; store less");
  return static_cast<int>(bytes.size());
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

Database::Database(const std::string& path, Mode mode, int busy_timeout_ms) {
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
  execute("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF");
}

void Database::execute(const std::string& sql) {
  const int status = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) throw_database_error(handle_.get(), status, "a database statement failed");
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Statement::Statement(const Database& database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int status = sqlite3_prepare_v2(database.handle(), sql.data(), checked_length(sql), &statement, nullptr);
  statement_.reset(statement);
  if (status != SQLITE_OK) throw_database_error(database.handle(), status, "a database statement is not understood");
  if (statement == nullptr) throw Error(ErrorCode::database, "an empty database statement; report this as a bug");
}

void Statement::check(int status, std::string_view what) const {
  if (status != SQLITE_OK) throw_database_error(sqlite3_db_handle(statement_.get()), status, what);
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), parameter, value), "cannot bind an integer");
  return *this;
}

Statement& Statement::bind(int parameter, double value) {
  check(sqlite3_bind_double(statement_.get(), parameter, value), "cannot bind a number");
  return *this;
}

// SQLITE_TRANSIENT is a cast of -1 to a function pointer; sqlite3_bind_text64 has no other way to ask for a copy.
Statement& Statement::bind(int parameter, std::string_view text) {
  const auto copy = reinterpret_cast<sqlite3_destructor_type>(std::intptr_t{-1});
  const char* const data = text.empty() ? "" : text.data();  // a null pointer would bind NULL
  check(sqlite3_bind_text64(statement_.get(), parameter, data, text.size(), copy, SQLITE_UTF8), "cannot bind a text");
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view bytes) {
  const auto copy = reinterpret_cast<sqlite3_destructor_type>(std::intptr_t{-1});
  const char* const data = bytes.empty() ? "" : bytes.data();
  check(sqlite3_bind_blob64(statement_.get(), parameter, data, bytes.size(), copy), "cannot bind bytes");
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  check(sqlite3_bind_null(statement_.get(), parameter), "cannot bind null");
  return *this;
}

bool Statement::step() {
  const int status = sqlite3_step(statement_.get());
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  throw_database_error(sqlite3_db_handle(statement_.get()), status, "a database statement failed");
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int length = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(length));
}

std::optional<std::string> Statement::optional_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}

Transaction::Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  // The status is ignored on purpose: SQLite rolls back by itself when the connection closes.
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace gpuassay
