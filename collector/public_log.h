// Which runs did this collector ever acknowledge, so that nobody can change it unseen? The Merkle tree over all
// receipts, its proofs, and what is signed of it (docs/LOG.md). Everything is in the database: several collectors may
// share it.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/connection_pool.h"
#include "collector/log_entry.h"
#include "collector/run_record.h"
#include "core/merkle.h"
#include "core/signature.h"

namespace gpuassay {

/// In one transaction: uploads wait meanwhile on SQLite.
inline constexpr std::size_t kLoggedAtOnce = 200;

struct CheckpointPage {
  std::vector<std::string> checkpoints;  ///< the signed texts, oldest first
  std::int64_t next = 0;                 ///< the next page begins after this one, now or when there are more
};

/// Safe to use from any thread. Failures are Error{database}; every call may be repeated.
class PublicLog {
 public:
  /// `pool` must outlive this; `now_ms` is the wall clock in milliseconds since 1970, asked by any thread.
  PublicLog(ConnectionPool& pool, const KeyPair& collector_key, std::function<std::int64_t()> now_ms);

  /// Puts at most kLoggedAtOnce of the runs that wait into the tree, those that were received first before the others;
  /// all of them or none. How many.
  std::size_t append_waiting();
  /// Makes runs wait that have no place yet: taken in before there was a log, or by a collector of a former version.
  /// Looks on after `after` and moves it; at most kLoggedAtOnce. How many.
  std::size_t adopt(RunCursor& after);
  /// Forgets the salts of runs that a collector of a former version erased; our own deletions forget them at once.
  void forget_retracted();

  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::optional<LogEntry> find(std::string_view run_id) const;
  /// Of a leaf below `size`, which is not above size().
  [[nodiscard]] std::vector<Digest> inclusion_path(std::uint64_t index, std::uint64_t size) const;
  /// That the first `from` leaves begin the first `to`, which are not more than size().
  [[nodiscard]] std::vector<Digest> consistency_proof(std::uint64_t from, std::uint64_t to) const;
  /// At most `limit` leaves' hashes.
  [[nodiscard]] std::vector<Digest> leaves(std::uint64_t from, std::size_t limit) const;

  /// The newest checkpoint, made now when there is more to sign than it has and it is a second old, or when it is an
  /// hour old. Where that fails and there is one, the newest.
  std::string checkpoint();
  /// The same, but only for the hour: one checkpoint is made for each at least.
  void keep_hourly();
  [[nodiscard]] CheckpointPage checkpoints(std::int64_t after, std::size_t limit) const;

 private:
  std::string make_checkpoint(std::int64_t pause_ms);

  ConnectionPool& pool_;
  KeyPair key_;
  std::function<std::int64_t()> now_ms_;
  std::mutex making_;
};

}  // namespace gpuassay
