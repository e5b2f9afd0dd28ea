#include "collector/postgres.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <deque>

#include "collector/postgres_sql.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// Any constant will do that no other program locks in the same database.
constexpr std::int64_t kExclusiveLock = 7'016'996'765;
/// The texts of the store are fewer; more would be a program that writes values into its SQL.
constexpr std::size_t kKeptStatements = 200;
/// Reading on is cheaper than a new connection up to about here.
constexpr int kRowsReadToTheEnd = 1'000;

int bytea_digit(char letter) { return letter <= '9' ? letter - '0' : (letter | 0x20) - 'a' + 10; }

/// "\x6162" is what bytea_output = hex writes for "ab".
std::string bytes_of(std::string_view hex) {
  if (hex.size() < 2) return {};  // NULL
  std::string bytes(hex.size() / 2 - 1, '\0');
  for (std::size_t at = 0; at < bytes.size(); ++at)
    bytes[at] = static_cast<char>(bytea_digit(hex[2 * at + 2]) * 16 + bytea_digit(hex[2 * at + 3]));
  return bytes;
}

}  // namespace

class PostgresDatabase::Query final : public PreparedQuery {
 public:
  Query(PostgresDatabase& database, std::string name) : database_(database), name_(std::move(name)) {
    ++database_.living_queries_;
  }
  ~Query() override {
    abandon();
    --database_.living_queries_;
  }

  void bind_integer(int parameter, std::int64_t value) override { at(parameter) = {std::to_string(value), false}; }
  void bind_real(int parameter, double value) override { at(parameter) = {fmt::format("{}", value), false}; }
  void bind_text(int parameter, std::string_view text) override {
    if (text.find('\0') != std::string_view::npos)
      throw Error(ErrorCode::database, "PostgreSQL cannot keep a text with a NUL character; report this as a bug");
    at(parameter) = {std::string(text), false};
  }
  void bind_blob(int parameter, std::string_view bytes) override { at(parameter) = {std::string(bytes), false, true}; }
  void bind_null(int parameter) override { at(parameter) = {}; }

  bool step() override {
    if (state_ == State::ready) start();
    if (!waiting_.empty()) {
      row_ = std::move(waiting_.front());
      waiting_.pop_front();
      return true;
    }
    row_ = state_ == State::streaming ? read() : PostgresResult();
    return static_cast<bool>(row_);
  }

  void reset() override {
    abandon();
    state_ = State::ready;
  }

  /// Reads all rows that are still to come.
  void keep_rest() {
    while (PostgresResult row = read()) waiting_.push_back(std::move(row));
  }

  [[nodiscard]] bool is_null(int column) const override { return !row_ || row_.is_null(column); }
  [[nodiscard]] std::int64_t integer(int column) const override {
    const std::string_view text = row_.value(column);
    if (text == "t") return 1;  // a condition
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  [[nodiscard]] double real(int column) const override {
    return std::strtod(std::string(row_.value(column)).c_str(), nullptr);
  }
  [[nodiscard]] std::string text(int column) const override {
    return row_.is_bytes(column) ? bytes_of(row_.value(column)) : std::string(row_.value(column));
  }

 private:
  enum class State { ready, streaming, done };

  PostgresParameter& at(int parameter) {
    const auto needed = static_cast<std::size_t>(parameter);
    if (parameters_.size() < needed) parameters_.resize(needed);
    return parameters_[needed - 1];
  }

  void start() {
    database_.finish_streaming();
    database_.connection_.send(name_, parameters_);
    database_.streaming_ = this;
    state_ = State::streaming;
  }

  /// The next row from the connection; empty after the last.
  PostgresResult read() {
    try {
      while (PostgresResult result = database_.connection_.next_result()) {
        if (result.is_row()) return result;
        if (const auto changed = result.changed_rows()) database_.changes_ = *changed;
      }
    } catch (...) {
      end();
      throw;
    }
    end();
    return {};
  }

  void end() {
    state_ = State::done;
    database_.streaming_ = nullptr;
  }

  void abandon() noexcept {
    waiting_.clear();
    row_ = {};
    if (state_ != State::streaming) return;
    try {
      for (int rows = 0; rows < kRowsReadToTheEnd; ++rows)
        if (!read()) return;
    } catch (const Error&) {
      return;  // nobody waits for these rows; a lost connection is seen by its next user
    }
    database_.connection_.drop();
    end();
  }

  PostgresDatabase& database_;
  std::string name_;
  std::vector<PostgresParameter> parameters_;
  std::deque<PostgresResult> waiting_;
  PostgresResult row_;
  State state_ = State::ready;
};

PostgresDatabase::PostgresDatabase(const PostgresOptions& options) : connection_(options) {}
PostgresDatabase::~PostgresDatabase() = default;

void PostgresDatabase::finish_streaming() {
  if (streaming_ != nullptr) streaming_->keep_rest();
}

void PostgresDatabase::execute(const std::string& sql) {
  finish_streaming();
  // Whatever it defines may change what the names in prepared statements mean.
  forget_statements();
  connection_.command(postgres_sql(sql));
}

void PostgresDatabase::forget_statements() {
  for (auto& [sql, name] : names_) forgotten_.push_back(std::move(name));
  names_.clear();
  deallocate_forgotten();
}

/// Once nobody uses one of them, also when that was not yet so when they were forgotten.
void PostgresDatabase::deallocate_forgotten() {
  if (forgotten_.empty() || living_queries_ > 0) return;
  std::string sql;
  for (const std::string& name : forgotten_) sql += "DEALLOCATE " + name + "; ";
  forgotten_.clear();
  connection_.command(sql);
}

std::string PostgresDatabase::name_of(std::string_view sql) {
  if (const auto known = names_.find(sql); known != names_.end()) return known->second;
  finish_streaming();
  if (names_.size() >= kKeptStatements)
    forget_statements();
  else
    deallocate_forgotten();
  std::string name = "s" + std::to_string(++names_given_);
  connection_.prepare(name, postgres_sql(sql));
  return names_.emplace(sql, std::move(name)).first->second;
}

std::unique_ptr<PreparedQuery> PostgresDatabase::prepare(std::string_view sql) {
  return std::make_unique<Query>(*this, name_of(sql));
}

void PostgresDatabase::begin(TransactionKind kind) {
  finish_streaming();
  connection_.set_patient(kind != TransactionKind::concurrent);
  try {
    switch (kind) {
      case TransactionKind::exclusive:
        // The lock's holder may work for long, its waiters give up after lock_timeout.
        connection_.command(
            fmt::format("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; "
                        "SELECT pg_advisory_xact_lock({})",
                        kExclusiveLock));
        return;
      case TransactionKind::concurrent: connection_.command("BEGIN ISOLATION LEVEL READ COMMITTED"); return;
      case TransactionKind::snapshot:
        connection_.command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0");
        return;
    }
  } catch (const Error&) {
    rollback();
    throw;
  }
}

void PostgresDatabase::commit() {
  finish_streaming();
  if (connection_.has_failed_transaction()) {
    throw Error(ErrorCode::database, "a statement of the transaction failed, so nothing was stored; try again");
  }
  connection_.command("COMMIT");  // as patient as the transaction was: it may have a million rows
  connection_.set_patient(false);
}

void PostgresDatabase::rollback() noexcept {
  connection_.set_patient(false);
  if (is_lost()) return;
  try {
    finish_streaming();
    connection_.command("ROLLBACK");
  } catch (const Error&) {
    connection_.drop();  // the server rolls back what its client has left
  }
}

}  // namespace gpuassay
