#include "collector/log_entry.h"

#include <algorithm>

#include "core/error.h"
#include "core/signature.h"

namespace gpuassay {

Digest log_leaf_hash(std::string_view salt, std::string_view receipt) {
  std::string entry(salt);
  entry += receipt;
  return merkle_leaf_hash(entry);
}

void add_log_entry(Database& database, std::string_view run_id, std::string_view receipt) {
  const std::string salt = random_bytes(kLogSaltBytes);
  const Digest leaf_hash = log_leaf_hash(salt, receipt);
  Statement insert(database,
                   "INSERT INTO log_entry (run_id, leaf_hash, salt) VALUES (?, ?, ?) ON CONFLICT (run_id) DO NOTHING");
  insert.bind(1, run_id).bind_blob(2, digest_bytes(leaf_hash)).bind_blob(3, salt).run();
}

void erase_log_salt(Database& database, std::string_view run_id) {
  Statement erase(database, "UPDATE log_entry SET salt = NULL WHERE run_id = ?");
  erase.bind(1, run_id).run();
}

std::optional<LogEntry> find_log_entry(Database& database, std::string_view run_id) {
  Statement query(database, "SELECT leaf_hash, salt, leaf_index FROM log_entry WHERE run_id = ?");
  query.bind(1, run_id);
  if (!query.step()) return std::nullopt;
  return LogEntry{digest_of(query.text(0)), query.optional_text(1), query.optional_integer(2)};
}

std::string_view digest_bytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest digest_of(const std::string& column) {
  Digest digest{};
  if (column.size() != digest.size())
    throw Error(ErrorCode::database,
                "the public log has a hash that is none; `gpuassay-collector verify` says what else is damaged");
  std::copy(column.begin(), column.end(), digest.begin());
  return digest;
}

}  // namespace gpuassay
