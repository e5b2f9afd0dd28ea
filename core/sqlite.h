// How is SQLite a Database? The embedded engine of both programs: one file, or memory.
#pragma once

#include <memory>
#include <string>

#include "core/database.h"

struct sqlite3;

namespace gpuassay {

/// One open SQLite database. Failures carry SQLite's extended result code as native code.
class SqliteDatabase : public Database {
 public:
  enum class Mode { read_only, read_write_create };

  /// Opens `path` (":memory:" for a private database). A lock held by another process is waited for at most
  /// `busy_timeout_ms`. Foreign keys are enforced; trust in the file's schema is switched off.
  explicit SqliteDatabase(const std::string& path, Mode mode = Mode::read_write_create, int busy_timeout_ms = 2'000);

  void execute(const std::string& sql) override;
  [[nodiscard]] std::int64_t changes() const override;
  std::unique_ptr<PreparedQuery> prepare(std::string_view sql) override;
  void begin(TransactionKind kind) override;
  void commit() override;
  void rollback() noexcept override;

  /// Reads every page. Throws Error{database} when one does not make sense.
  void require_sound();

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace gpuassay
