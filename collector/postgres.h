// How is PostgreSQL a Database? Same SQL, same results as SQLite; see collector/postgres_sql.h for the differences.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collector/postgres_connection.h"
#include "core/database.h"

namespace gpuassay {

/// One connection. Rows are streamed: a statement that is read half and then reset costs the rest of its rows, or the
/// connection when those are many. Statements are prepared once and kept by their text. A text bound to a parameter
/// must have no NUL character.
class PostgresDatabase : public Database {
 public:
  explicit PostgresDatabase(const PostgresOptions& options);
  ~PostgresDatabase() override;

  void execute(const std::string& sql) override;
  [[nodiscard]] std::int64_t changes() const override { return changes_; }
  [[nodiscard]] bool is_lost() const override { return connection_.is_lost(); }
  std::unique_ptr<PreparedQuery> prepare(std::string_view sql) override;
  void begin(TransactionKind kind) override;
  void commit() override;
  void rollback() noexcept override;

 private:
  class Query;

  /// The server's name of the statement, prepared now or before.
  std::string name_of(std::string_view sql);
  void forget_statements();
  void deallocate_forgotten();
  /// Makes the connection free for another command: rows that are still coming go to the statement they belong to.
  void finish_streaming();

  PostgresConnection connection_;
  std::map<std::string, std::string, std::less<>> names_;
  std::vector<std::string> forgotten_;  ///< names that the server still knows, as somebody may be using them
  std::int64_t names_given_ = 0;
  std::int64_t changes_ = 0;
  int living_queries_ = 0;
  Query* streaming_ = nullptr;
};

}  // namespace gpuassay
