// What does the public log (docs/LOG.md) keep of one run, and how is it forgotten?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/database.h"
#include "core/merkle.h"

namespace gpuassay {

/// Bytes of a salt. Nobody can try so many: without it a leaf's hash says nothing about the run.
inline constexpr std::size_t kLogSaltBytes = 32;

/// What the log knows of a run.
struct LogEntry {
  Digest leaf_hash{};
  std::optional<std::string> salt;         ///< gone with the run
  std::optional<std::int64_t> leaf_index;  ///< empty until the run is in the tree
};

/// The hash of the leaf that stands for a receipt: its entry is the salt followed by the receipt's bytes.
Digest log_leaf_hash(std::string_view salt, std::string_view receipt);

/// Gives a run its place in the queue for the log, with a new salt; one that has a place keeps it. In the transaction
/// that stores the run.
void add_log_entry(Database& database, std::string_view run_id, std::string_view receipt);
/// Forgets the salt, in the transaction that erases the run.
void erase_log_salt(Database& database, std::string_view run_id);

std::optional<LogEntry> find_log_entry(Database& database, std::string_view run_id);

/// Digests as the tables have them. Throws Error{database} for a column that holds none.
std::string_view digest_bytes(const Digest& digest);
Digest digest_of(const std::string& column);

}  // namespace gpuassay
