#include "collector/public_log.h"

#include <utility>

#include "collector/run_query.h"
#include "core/error.h"
#include "core/receipt.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

using Access = ConnectionPool::Access;

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kShortestPauseMs = 1'000;

std::uint64_t log_size(Database& database) {
  Statement query(database, "SELECT node_index FROM log_node WHERE level = 0 ORDER BY node_index DESC LIMIT 1");
  return query.step() ? static_cast<std::uint64_t>(query.integer(0)) + 1 : 0;
}

/// Looks each node up; one statement for all of them.
class StoredNodes {
 public:
  explicit StoredNodes(Database& database)
      : query_(database, "SELECT hash FROM log_node WHERE level = ? AND node_index = ?") {}

  [[nodiscard]] MerkleNodes nodes() {
    return [this](const MerkleNode& node) {
      query_.bind(1, std::int64_t{node.level}).bind(2, static_cast<std::int64_t>(node.index));
      if (!query_.step()) {
        throw Error(ErrorCode::database,
                    "the public log lacks a part; `gpuassay-collector verify` says what is damaged");
      }
      const std::string hash = query_.text(0);
      query_.reset();
      return digest_of(hash);
    };
  }

 private:
  Statement query_;
};

std::vector<std::pair<std::string, Digest>> waiting_entries(Database& database) {
  Statement query(database,
                  "SELECT log_entry.run_id, log_entry.leaf_hash FROM log_entry LEFT JOIN run ON run.run_id = "
                  "log_entry.run_id WHERE log_entry.leaf_index IS NULL ORDER BY run.received_at_ms, log_entry.run_id "
                  "LIMIT ?");
  query.bind(1, static_cast<std::int64_t>(kLoggedAtOnce));
  std::vector<std::pair<std::string, Digest>> entries;
  while (query.step()) entries.emplace_back(query.text(0), digest_of(query.text(1)));
  return entries;
}

/// Exclusive, so that no two collectors give one index twice; what is in the tree is never changed.
void append(Database& database, const std::vector<std::pair<std::string, Digest>>& entries) {
  StoredNodes stored(database);
  MerkleFrontier frontier(stored.nodes(), log_size(database));
  Statement place(database, "UPDATE log_entry SET leaf_index = ? WHERE run_id = ?");
  Statement keep(database, "INSERT INTO log_node (level, node_index, hash) VALUES (?, ?, ?)");
  for (const auto& [run_id, leaf_hash] : entries) {
    place.bind(1, static_cast<std::int64_t>(frontier.size())).bind(2, run_id).run();
    frontier.append(leaf_hash, [&keep](const MerkleNode& node, const Digest& hash) {
      keep.bind(1, std::int64_t{node.level}).bind(2, static_cast<std::int64_t>(node.index));
      keep.bind_blob(3, digest_bytes(hash)).run();
    });
  }
}

struct StoredCheckpoint {
  std::int64_t id = 0;
  std::uint64_t tree_size = 0;
  std::int64_t made_at_ms = 0;
  std::string text;
};

std::optional<StoredCheckpoint> newest_checkpoint(Database& database) {
  Statement query(database,
                  "SELECT checkpoint_id, tree_size, made_at_ms, checkpoint FROM log_checkpoint "
                  "ORDER BY checkpoint_id DESC LIMIT 1");
  if (!query.step()) return std::nullopt;
  return StoredCheckpoint{query.integer(0), static_cast<std::uint64_t>(query.integer(1)), query.integer(2),
                          query.text(3)};
}

/// `pause_ms` is how old the newest one must be for leaves to be signed that came since. A clock that was set back must
/// not end the log.
bool is_due(const std::optional<StoredCheckpoint>& newest, std::uint64_t size, std::int64_t now_ms,
            std::int64_t pause_ms) {
  if (!newest) return true;
  const std::int64_t age_ms = now_ms - newest->made_at_ms;
  return age_ms >= kHourMs || (size > newest->tree_size && (age_ms >= pause_ms || age_ms < 0));
}

/// Of runs that have no place in the log, in the order of receiving.
std::vector<RunCursor> runs_without_entry(Database& database, const RunCursor& after) {
  Statement query(database,
                  "SELECT run.received_at_ms, run.run_id FROM run LEFT JOIN log_entry ON log_entry.run_id = run.run_id "
                  "WHERE (run.received_at_ms > ?1 OR (run.received_at_ms = ?1 AND run.run_id > ?2)) AND "
                  "run.received_at_ms >= ?1 AND run.retracted_at_ms IS NULL AND log_entry.run_id IS NULL "
                  "ORDER BY run.received_at_ms, run.run_id LIMIT ?3");
  query.bind(1, after.received_at_ms).bind(2, after.run_id).bind(3, static_cast<std::int64_t>(kLoggedAtOnce));
  std::vector<RunCursor> runs;
  while (query.step()) runs.push_back({query.integer(0), query.text(1)});
  return runs;
}

/// A deletion must see the entry, or its salt would stay.
void adopt_run(Database& database, const std::string& run_id) {
  if (!hold_run(database, run_id)) return;
  Statement query(database, "SELECT receipt FROM run_body WHERE run_id = ?");
  query.bind(1, run_id);
  if (!query.step()) return;  // damaged, as `verify` says
  const std::string receipt = query.text(0);
  add_log_entry(database, run_id, receipt);
}

}  // namespace

PublicLog::PublicLog(ConnectionPool& pool, const KeyPair& collector_key, std::function<std::int64_t()> now_ms)
    : pool_(pool), key_(collector_key), now_ms_(std::move(now_ms)) {}

std::size_t PublicLog::append_waiting() {
  // A look first: writers wait for one another.
  const bool has_waiting = pool_.use(Access::read, [](Database& database) {
    return Statement(database, "SELECT run_id FROM log_entry WHERE leaf_index IS NULL LIMIT 1").step();
  });
  if (!has_waiting) return 0;
  return pool_.use(Access::write, [](Database& database) {
    Transaction transaction(database);
    const auto entries = waiting_entries(database);
    append(database, entries);
    transaction.commit();
    return entries.size();
  });
}

std::size_t PublicLog::adopt(RunCursor& after) {
  const auto runs =
      pool_.use(Access::read, [&after](Database& database) { return runs_without_entry(database, after); });
  if (runs.empty()) return 0;
  pool_.use(Access::write, [&runs](Database& database) {
    Transaction transaction(database, TransactionKind::concurrent);
    for (const RunCursor& run : runs) adopt_run(database, run.run_id);
    transaction.commit();
  });
  after = runs.back();
  return runs.size();
}

void PublicLog::forget_retracted() {
  const std::string rests =
      "FROM log_entry WHERE salt IS NOT NULL AND run_id IN (SELECT run_id FROM run WHERE retracted_at_ms IS NOT NULL)";
  const bool has_rests = pool_.use(Access::read, [&rests](Database& database) {
    return Statement(database, "SELECT run_id " + rests + " LIMIT 1").step();
  });
  if (!has_rests) return;
  pool_.use(Access::write, [&rests](Database& database) {
    Statement(database, "UPDATE log_entry SET salt = NULL WHERE run_id IN (SELECT run_id " + rests + ")").run();
  });
}

std::uint64_t PublicLog::size() const { return pool_.use(Access::read, log_size); }

std::optional<LogEntry> PublicLog::find(std::string_view run_id) const {
  return pool_.use(Access::read, [&](Database& database) { return find_log_entry(database, run_id); });
}

std::vector<Digest> PublicLog::inclusion_path(std::uint64_t index, std::uint64_t size) const {
  return pool_.use(Access::read, [&](Database& database) {
    StoredNodes stored(database);
    return merkle_inclusion_path(stored.nodes(), index, size);
  });
}

std::vector<Digest> PublicLog::consistency_proof(std::uint64_t from, std::uint64_t to) const {
  return pool_.use(Access::read, [&](Database& database) {
    StoredNodes stored(database);
    return merkle_consistency_proof(stored.nodes(), from, to);
  });
}

std::vector<Digest> PublicLog::leaves(std::uint64_t from, std::size_t limit) const {
  return pool_.use(Access::read, [&](Database& database) {
    Statement query(database,
                    "SELECT hash FROM log_node WHERE level = 0 AND node_index >= ? ORDER BY node_index LIMIT ?");
    query.bind(1, static_cast<std::int64_t>(from)).bind(2, static_cast<std::int64_t>(limit));
    std::vector<Digest> hashes;
    while (query.step()) hashes.push_back(digest_of(query.text(0)));
    return hashes;
  });
}

std::string PublicLog::checkpoint() {
  try {
    return make_checkpoint(kShortestPauseMs);
  } catch (const Error&) {
    const auto newest = pool_.use(Access::read, newest_checkpoint);
    if (!newest) throw;
    return newest->text;  // as old as it says: a full disk keeps nobody from reading
  }
}

void PublicLog::keep_hourly() { (void)make_checkpoint(kHourMs); }

std::string PublicLog::make_checkpoint(std::int64_t pause_ms) {
  const auto [newest, size] = pool_.use(
      Access::read, [](Database& database) { return std::pair(newest_checkpoint(database), log_size(database)); });
  if (!is_due(newest, size, now_ms_(), pause_ms)) return newest->text;
  std::unique_lock turn(making_, std::defer_lock);
  // Whoever comes while one is being made gets the one before.
  if (!newest)
    turn.lock();
  else if (!turn.try_lock())
    return newest->text;
  return pool_.use(Access::write, [&](Database& database) {
    Transaction transaction(database);
    const auto last = newest_checkpoint(database);
    const std::uint64_t leaves = log_size(database);
    const std::int64_t now_ms = now_ms_();
    if (!is_due(last, leaves, now_ms, pause_ms)) return last->text;
    StoredNodes stored(database);
    std::string text =
        signed_checkpoint({leaves, merkle_root(stored.nodes(), leaves), format_rfc3339_ms(now_ms), {}}, key_);
    Statement keep(database,
                   "INSERT INTO log_checkpoint (checkpoint_id, tree_size, made_at_ms, checkpoint) VALUES (?, ?, ?, ?)");
    keep.bind(1, last ? last->id + 1 : 1).bind(2, static_cast<std::int64_t>(leaves)).bind(3, now_ms);
    keep.bind(4, text).run();
    transaction.commit();
    return text;
  });
}

CheckpointPage PublicLog::checkpoints(std::int64_t after, std::size_t limit) const {
  return pool_.use(Access::read, [&](Database& database) {
    Statement query(database,
                    "SELECT checkpoint_id, checkpoint FROM log_checkpoint WHERE checkpoint_id > ? "
                    "ORDER BY checkpoint_id LIMIT ?");
    query.bind(1, after).bind(2, static_cast<std::int64_t>(limit));
    CheckpointPage page{{}, after};
    while (query.step()) {
      page.next = query.integer(0);
      page.checkpoints.push_back(query.text(1));
    }
    return page;
  });
}

}  // namespace gpuassay
