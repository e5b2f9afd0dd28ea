// How does C++ code talk to a SQL database without knowing which engine it is, leaking handles or ignoring a status?
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gpuassay {

/// What a Transaction promises beside all or nothing.
enum class TransactionKind {
  exclusive,   ///< no other exclusive one at the same time: migrations and price imports, which read before they write
  concurrent,  ///< others may write meanwhile where the engine can; for statements that are safe by themselves
  snapshot,    ///< reads only, all of them of one instant
};

/// What an engine keeps for one prepared statement. Only Statement uses it.
class PreparedQuery {
 public:
  PreparedQuery() = default;
  PreparedQuery(const PreparedQuery&) = delete;
  PreparedQuery& operator=(const PreparedQuery&) = delete;
  virtual ~PreparedQuery() = default;

  virtual void bind_integer(int parameter, std::int64_t value) = 0;
  virtual void bind_real(int parameter, double value) = 0;
  virtual void bind_text(int parameter, std::string_view text) = 0;
  virtual void bind_blob(int parameter, std::string_view bytes) = 0;
  virtual void bind_null(int parameter) = 0;
  virtual bool step() = 0;
  virtual void reset() = 0;
  [[nodiscard]] virtual bool is_null(int column) const = 0;
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual double real(int column) const = 0;
  [[nodiscard]] virtual std::string text(int column) const = 0;
};

/// One connection to a database; not for use by two threads at once. Every failure is Error{database}. The SQL is what
/// SQLite and PostgreSQL have in common, with SQLite's `?` or `?1` for parameters, BLOB for bytes and temp.NAME for
/// temporary tables; a parameter is first used where its type can be seen (`a = ?1 OR ?1 IS NULL`, not the reverse).
class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  /// Runs one or more statements that return no rows of interest. Texts of its own only: nothing is bound.
  virtual void execute(const std::string& sql) = 0;
  /// Rows changed by the last insert, update or delete.
  [[nodiscard]] virtual std::int64_t changes() const = 0;
  /// True when the server has gone away: nothing works any more, and whether a COMMIT arrived is unknown.
  [[nodiscard]] virtual bool is_lost() const { return false; }

  // The engine's side of Statement and Transaction.
  virtual std::unique_ptr<PreparedQuery> prepare(std::string_view sql) = 0;
  virtual void begin(TransactionKind kind) = 0;
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;

 protected:
  Database(Database&&) = default;
  Database& operator=(Database&&) = default;
};

/// One prepared statement. Parameters are numbered from 1, columns from 0. Must not outlive its Database.
class Statement {
 public:
  Statement(Database& database, std::string_view sql) : query_(database.prepare(sql)) {}

  Statement& bind(int parameter, std::int64_t value) {
    query_->bind_integer(parameter, value);
    return *this;
  }
  Statement& bind(int parameter, double value) {
    query_->bind_real(parameter, value);
    return *this;
  }
  Statement& bind(int parameter, std::string_view text) {
    query_->bind_text(parameter, text);
    return *this;
  }
  Statement& bind_blob(int parameter, std::string_view bytes) {
    query_->bind_blob(parameter, bytes);
    return *this;
  }
  Statement& bind_null(int parameter) {
    query_->bind_null(parameter);
    return *this;
  }
  template <class T>
  Statement& bind(int parameter, const std::optional<T>& value) {
    return value ? bind(parameter, *value) : bind_null(parameter);
  }

  /// Moves to the next row; false when there is none left. Rows come as they are asked for, never all at once.
  bool step() { return query_->step(); }
  /// step() for a statement that returns no row, then reset() so that it can be bound again.
  void run();
  void reset() { query_->reset(); }

  [[nodiscard]] bool is_null(int column) const { return query_->is_null(column); }
  /// Of a condition: 1 or 0.
  [[nodiscard]] std::int64_t integer(int column) const { return query_->integer(column); }
  [[nodiscard]] double real(int column) const { return query_->real(column); }
  /// Copies of the column's bytes; empty for NULL.
  [[nodiscard]] std::string text(int column) const { return query_->text(column); }
  [[nodiscard]] std::optional<std::string> optional_text(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
  [[nodiscard]] std::optional<double> optional_real(int column) const;

 private:
  std::unique_ptr<PreparedQuery> query_;
};

/// Rolled back by the destructor unless commit() returned. A snapshot needs no commit().
class Transaction {
 public:
  explicit Transaction(Database& database, TransactionKind kind = TransactionKind::exclusive);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace gpuassay
