#include "core/database.h"

namespace gpuassay {

void Statement::run() {
  while (step()) {
  }
  reset();
}

std::optional<std::string> Statement::optional_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::optional<double> Statement::optional_real(int column) const {
  return is_null(column) ? std::nullopt : std::optional(real(column));
}

Transaction::Transaction(Database& database, TransactionKind kind) : database_(database) { database_.begin(kind); }

Transaction::~Transaction() {
  if (open_) database_.rollback();
}

void Transaction::commit() {
  database_.commit();
  open_ = false;
}

}  // namespace gpuassay
