// Which runs does this collector hold? Once insert() has returned, a run survives a power loss.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/connection_pool.h"
#include "collector/run_record.h"

namespace gpuassay {

enum class RetractOutcome {
  retracted,  ///< now, or before
  unknown,    ///< no such run
  other_key,  ///< the key of another machine signed it, or this one was revoked
};

enum class KeyChange {
  done,     ///< now, or the very same before
  unknown,  ///< the key never signed a run that was stored
  revoked,  ///< it was revoked, or replaced by another key, before
  taken,    ///< the new key belongs to a machine already
};

/// Runs that count in no aggregate and no export.
enum class Excluded { simulated, quarantined };

enum class RunContents {
  columns,  ///< body, its hash and the receipt stay empty: much faster where bodies are large
  whole,
};

/// Of a page: some milliseconds, however many runs there are.
inline constexpr std::size_t kMostLookedAt = 20'000;

/// Runs one by one, oldest first, as they were when it was made: later changes are not seen. Holds a connection,
/// and keeps SQLite's journal growing while others write: not for a client that reads slowly without a limit.
class RunReader {
 public:
  /// Use RunStore::read().
  RunReader(ConnectionPool::Lease lease, const RunFilter& filter, RunContents contents);
  ~RunReader();
  /// The next run; empty after the last. Throws Error{database}.
  std::optional<StoredRun> next();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The tables `run` and `signing_key`. Safe to use from any thread. Failures are Error{database}: nothing happened, or
/// its answer was lost; every call may be repeated.
class RunStore {
 public:
  /// `pool` must outlive the store and have the collector's tables (collector/collector_database.h).
  explicit RunStore(ConnectionPool& pool) : pool_(pool) {}

  [[nodiscard]] std::optional<KnownRun> find(std::string_view run_id) const;
  /// Empty for unknown and retracted runs.
  [[nodiscard]] std::optional<std::string> body(std::string_view run_id) const;
  [[nodiscard]] std::optional<RunColumns> columns(std::string_view run_id) const;
  /// Stores the run, durably, unless its run_id is known: the first one is kept, and returned. Empty when `run` is what
  /// is stored, be it by an earlier try whose answer was lost.
  std::optional<KnownRun> insert(const StoredRun& run);

  /// At most `limit` runs after `after`, or the newest. Looks at so many of them at most: where few fit the filter, the
  /// page is short, and `next` says where to go on.
  [[nodiscard]] RunPage list(const RunFilter& filter, std::size_t limit, const std::optional<RunCursor>& after = {},
                             std::size_t most_looked_at = kMostLookedAt) const;
  /// All runs of one instant, for exports.
  [[nodiscard]] RunReader read(const RunFilter& filter, RunContents contents = RunContents::whole) const;

  /// Takes a run out of all aggregates for a reason, or back in without one. False when there is no such run.
  bool quarantine(std::string_view run_id, const std::optional<std::string>& reason);

  /// Erases all of a run but its run_id, for the key that signed it or that replaced this one.
  RetractOutcome retract(std::string_view run_id, std::string_view agent_key, std::int64_t now_ms);
  /// Erases a run as retract() does, for the operator. False when there is none, or not any more.
  bool erase(std::string_view run_id, std::int64_t now_ms);
  /// Erases, as retract() does, the oldest `limit` runs of this kind that were received before an instant. How many.
  std::size_t expire(Excluded why, std::int64_t received_before_ms, std::size_t limit, std::int64_t now_ms);
  /// What was taken back after `after`, in the order of time: the list that goes with an export.
  [[nodiscard]] std::vector<Retraction> retractions(std::size_t limit,
                                                    const std::optional<Retraction>& after = {}) const;

  /// Empty when the key never signed a run that was stored.
  [[nodiscard]] std::optional<SigningKey> key(std::string_view agent_key) const;
  /// The operator knows whose machine the key is of, and takes its runs for what they say, or does so no more. All keys
  /// of the machine. False for an unknown key.
  bool vouch_for_key(std::string_view agent_key, bool vouched, std::int64_t now_ms);
  /// From `now_ms` on; the first time counts. False for an unknown key.
  bool revoke_key(std::string_view agent_key, std::int64_t now_ms);
  /// The key is revoked in favour of a new one of the same machine.
  KeyChange replace_key(std::string_view agent_key, std::string_view replaced_by, std::int64_t now_ms);

  /// Throws unless the database answers.
  void require_working() const;

 private:
  ConnectionPool& pool_;
};

}  // namespace gpuassay
