#include "collector/store.h"

#include <fmt/format.h>

#include <algorithm>

#include "collector/log_entry.h"
#include "collector/run_query.h"

namespace gpuassay {
namespace {

using Access = ConnectionPool::Access;

std::optional<KnownRun> find_run(Database& database, std::string_view run_id) {
  Statement query(database,
                  "SELECT run.body_sha256, run_body.receipt, run.retracted_at_ms, run.quarantine_reason FROM run "
                  "LEFT JOIN run_body ON run_body.run_id = run.run_id WHERE run.run_id = ?");
  query.bind(1, run_id);
  if (!query.step()) return std::nullopt;
  return KnownRun{query.text(0), query.text(1), query.optional_integer(2), query.optional_text(3)};
}

/// False when the run_id is there already; a race of two threads for it is decided by the primary key.
bool insert_run(Database& database, const StoredRun& run) {
  Statement insert(database,
                   "INSERT INTO run (run_id, body_sha256, agent_key, received_at_ms, simulated, trust, "
                   "started_at_ms, provider, instance_type, region, pricing_model, gpu_model, gpu_count, "
                   "gpu_memory_bytes, score_version, score, instance_key, gpu_variant, vcpus_milli, memory_mib, "
                   "quarantine_reason) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
                   "ON CONFLICT (run_id) DO NOTHING");
  insert.bind(1, run.run_id).bind(2, run.body_sha256).bind(3, run.agent_key).bind(4, run.received_at_ms);
  insert.bind(5, std::int64_t{run.simulated}).bind(6, run.trust).bind(7, run.started_at_ms).bind(8, run.provider);
  insert.bind(9, run.instance_type).bind(10, run.region).bind(11, run.pricing_model).bind(12, run.gpu_model);
  insert.bind(13, run.gpu_count).bind(14, run.gpu_memory_bytes).bind(15, run.score_version).bind(16, run.score);
  insert.bind(17, run.instance_key).bind(18, run.gpu_variant).bind(19, run.vcpus_milli).bind(20, run.memory_mib);
  insert.bind(21, run.quarantine_reason).run();
  if (database.changes() != 1) return false;
  Statement body(database, "INSERT INTO run_body (run_id, body, receipt, signature) VALUES (?, ?, ?, ?)");
  body.bind(1, run.run_id).bind_blob(2, run.body).bind_blob(3, run.receipt).bind(4, run.signature).run();
  add_log_entry(database, run.run_id, run.receipt);
  insert_trace(database, run.run_id, run.trace);
  return true;
}

void note_key(Database& database, const StoredRun& run) {
  Statement note(database,
                 "INSERT INTO signing_key (agent_key, first_seen_ms, machine_key) VALUES (?, ?, ?) "
                 "ON CONFLICT (agent_key) DO NOTHING");
  note.bind(1, run.agent_key).bind(2, run.received_at_ms).bind(3, run.agent_key).run();
}

std::optional<SigningKey> find_key(Database& database, std::string_view agent_key) {
  Statement query(database,
                  "SELECT first_seen_ms, revoked_at_ms, replaced_by, COALESCE(machine_key, agent_key) FROM signing_key "
                  "WHERE agent_key = ?");
  query.bind(1, agent_key);
  if (!query.step()) return std::nullopt;
  return SigningKey{query.integer(0), query.optional_integer(1), query.optional_text(2), query.text(3)};
}

/// Both keys of a machine, or none. False when another request was faster: the caller looks again.
bool put_key_in_place(Database& database, std::string_view agent_key, const SigningKey& old, std::string_view new_key,
                      std::int64_t now_ms) {
  Transaction transaction(database, TransactionKind::concurrent);
  Statement retire(database,
                   "UPDATE signing_key SET revoked_at_ms = ?, replaced_by = ? "
                   "WHERE agent_key = ? AND revoked_at_ms IS NULL");
  retire.bind(1, now_ms).bind(2, new_key).bind(3, agent_key).run();
  if (database.changes() != 1) return false;
  Statement add(database,
                "INSERT INTO signing_key (agent_key, first_seen_ms, machine_key, vouched_at_ms) VALUES (?, ?, ?, "
                "(SELECT vouched_at_ms FROM signing_key AS old WHERE old.agent_key = ?)) "
                "ON CONFLICT (agent_key) DO NOTHING");
  add.bind(1, new_key).bind(2, now_ms).bind(3, old.machine_key).bind(4, agent_key).run();
  if (database.changes() != 1) return false;
  transaction.commit();
  return true;
}

/// Everything but run_id, the time and the columns that say nothing. `if_owned` is a further condition: the statement
/// checks it itself, as between a look and a change another thread could be faster.
bool erase_run(Database& database, std::string_view run_id, std::int64_t now_ms, const std::string& if_owned = {},
               std::string_view agent_key = {}) {
  Statement erase(database,
                  fmt::format("UPDATE run SET retracted_at_ms = ?1, body_sha256 = '', agent_key = '', "
                              "received_at_ms = 0, started_at_ms = 0, provider = '', instance_type = NULL, "
                              "region = NULL, pricing_model = NULL, gpu_model = NULL, gpu_count = 0, "
                              "gpu_memory_bytes = NULL, score_version = '', score = NULL, instance_key = NULL, "
                              "gpu_variant = NULL, vcpus_milli = NULL, memory_mib = NULL, quarantine_reason = NULL, "
                              "trust = 'self_reported' "
                              "WHERE run_id = ?2 AND retracted_at_ms IS NULL {}",
                              if_owned));
  erase.bind(1, now_ms).bind(2, run_id);
  if (!agent_key.empty()) erase.bind(3, agent_key);
  erase.run();
  if (database.changes() != 1) return false;
  for (const char* const table : {"run_body", "floor_proof"}) {
    Statement rest(database, fmt::format("DELETE FROM {} WHERE run_id = ?", table));
    rest.bind(1, run_id).run();
  }
  erase_log_salt(database, run_id);
  erase_trace(database, run_id);
  return true;
}

/// Any key of the machine that signed the run, if it is still trusted. The key that asks is this parameter.
std::string if_owned_by(int parameter) {
  return fmt::format(
      "AND agent_key IN (SELECT owner.agent_key FROM signing_key AS owner, signing_key AS asking "
      "WHERE asking.agent_key = ?{} AND asking.revoked_at_ms IS NULL "
      "AND COALESCE(owner.machine_key, owner.agent_key) = COALESCE(asking.machine_key, asking.agent_key))",
      parameter);
}

/// What taking a run back would come to, if it is not a change: empty when there is something to erase.
std::optional<RetractOutcome> nothing_to_erase(Database& database, std::string_view run_id,
                                               std::string_view agent_key) {
  const auto known = find_run(database, run_id);
  if (!known) return RetractOutcome::unknown;
  if (known->retracted_at_ms) return RetractOutcome::retracted;
  Statement owned(database, "SELECT run_id FROM run WHERE run_id = ?1 " + if_owned_by(2));
  owned.bind(1, run_id).bind(2, agent_key);
  return owned.step() ? std::nullopt : std::optional(RetractOutcome::other_key);
}

std::vector<std::string> excluded_run_ids(Database& database, Excluded why, std::int64_t received_before_ms,
                                          std::size_t limit) {
  Statement query(database,
                  fmt::format("SELECT run_id FROM run WHERE {} AND retracted_at_ms IS NULL AND received_at_ms < ? "
                              "ORDER BY received_at_ms LIMIT ?",
                              why == Excluded::simulated ? "simulated = 1" : "quarantine_reason IS NOT NULL"));
  query.bind(1, received_before_ms).bind(2, static_cast<std::int64_t>(limit));
  std::vector<std::string> run_ids;
  while (query.step()) run_ids.push_back(query.text(0));
  return run_ids;
}

}  // namespace

std::optional<KnownRun> RunStore::find(std::string_view run_id) const {
  return pool_.use(Access::read, [&](Database& database) { return find_run(database, run_id); });
}

std::optional<std::string> RunStore::body(std::string_view run_id) const {
  return pool_.use(Access::read, [&](Database& database) -> std::optional<std::string> {
    Statement query(database, "SELECT body FROM run_body WHERE run_id = ?");
    query.bind(1, run_id);
    if (!query.step()) return std::nullopt;
    return query.text(0);
  });
}

std::optional<RunColumns> RunStore::columns(std::string_view run_id) const {
  return pool_.use(Access::read, [&](Database& database) -> std::optional<RunColumns> {
    Statement query(database,
                    fmt::format("SELECT {} FROM run WHERE run_id = ? AND retracted_at_ms IS NULL", kRunColumns));
    query.bind(1, run_id);
    if (!query.step()) return std::nullopt;
    RunColumns run;
    read_columns(query, run);
    return run;
  });
}

std::optional<KnownRun> RunStore::insert(const StoredRun& run) {
  return pool_.use(Access::write, [&](Database& database) -> std::optional<KnownRun> {
    {
      Transaction transaction(database, TransactionKind::concurrent);
      if (insert_run(database, run)) {
        note_key(database, run);
        transaction.commit();
        return std::nullopt;
      }
    }
    auto known = find_run(database, run.run_id);
    // An earlier try whose COMMIT arrived but whose answer did not: the receipt, signed for this try, is stored.
    if (known && known->body_sha256 == run.body_sha256 && known->receipt == run.receipt) return std::nullopt;
    return known;
  });
}

RunPage RunStore::list(const RunFilter& filter, std::size_t limit, const std::optional<RunCursor>& after,
                       std::size_t most_looked_at) const {
  const PageLimits limits{limit, std::max(limit + 1, most_looked_at)};
  return pool_.use(Access::read, [&](Database& database) { return list_runs(database, filter, limits, after); });
}

RunReader RunStore::read(const RunFilter& filter, RunContents contents) const {
  require_working();  // a reader begins once: connections that went with a restarted server are noticed before
  return {pool_.take(Access::read), filter, contents};
}

bool RunStore::quarantine(std::string_view run_id, const std::optional<std::string>& reason) {
  return pool_.use(Access::write, [&](Database& database) {
    Statement update(database, "UPDATE run SET quarantine_reason = ? WHERE run_id = ? AND retracted_at_ms IS NULL");
    update.bind(1, reason).bind(2, run_id).run();
    return database.changes() == 1;
  });
}

RetractOutcome RunStore::retract(std::string_view run_id, std::string_view agent_key, std::int64_t now_ms) {
  // A look first: writers wait for one another, and anybody may ask for anything.
  const auto known =
      pool_.use(Access::read, [&](Database& database) { return nothing_to_erase(database, run_id, agent_key); });
  if (known) return *known;
  return pool_.use(Access::write, [&](Database& database) {
    {
      Transaction transaction(database, TransactionKind::concurrent);
      if (erase_run(database, run_id, now_ms, if_owned_by(3), agent_key)) {
        transaction.commit();
        return RetractOutcome::retracted;
      }
    }
    return nothing_to_erase(database, run_id, agent_key).value_or(RetractOutcome::other_key);
  });
}

bool RunStore::erase(std::string_view run_id, std::int64_t now_ms) {
  return pool_.use(Access::write, [&](Database& database) {
    Transaction transaction(database, TransactionKind::concurrent);
    const bool erased = erase_run(database, run_id, now_ms);
    transaction.commit();
    return erased;
  });
}

std::size_t RunStore::expire(Excluded why, std::int64_t received_before_ms, std::size_t limit, std::int64_t now_ms) {
  return pool_.use(Access::write, [&](Database& database) {
    const std::vector<std::string> run_ids = excluded_run_ids(database, why, received_before_ms, limit);
    Transaction transaction(database, TransactionKind::concurrent);
    std::size_t erased = 0;
    for (const std::string& run_id : run_ids)
      if (erase_run(database, run_id, now_ms)) ++erased;
    transaction.commit();
    return erased;
  });
}

std::vector<Retraction> RunStore::retractions(std::size_t limit, const std::optional<Retraction>& after) const {
  return pool_.use(Access::read, [&](Database& database) {
    Statement query(database,
                    "SELECT run_id, retracted_at_ms FROM run WHERE retracted_at_ms IS NOT NULL "
                    "AND (retracted_at_ms, run_id) > (?1, ?2) ORDER BY retracted_at_ms, run_id LIMIT ?3");
    const Retraction start = after.value_or(Retraction{});
    query.bind(1, after ? start.retracted_at_ms : INT64_MIN).bind(2, start.run_id);
    query.bind(3, static_cast<std::int64_t>(limit));
    std::vector<Retraction> retractions;
    while (query.step()) retractions.push_back({query.text(0), query.integer(1)});
    return retractions;
  });
}

std::optional<SigningKey> RunStore::key(std::string_view agent_key) const {
  return pool_.use(Access::read, [&](Database& database) { return find_key(database, agent_key); });
}

bool RunStore::revoke_key(std::string_view agent_key, std::int64_t now_ms) {
  const auto known = key(agent_key);  // a look first, as in retract()
  if (!known || known->revoked_at_ms) return known.has_value();
  return pool_.use(Access::write, [&](Database& database) {
    Statement revoke(database, "UPDATE signing_key SET revoked_at_ms = COALESCE(revoked_at_ms, ?) WHERE agent_key = ?");
    revoke.bind(1, now_ms).bind(2, agent_key).run();
    return database.changes() == 1;
  });
}

bool RunStore::vouch_for_key(std::string_view agent_key, bool vouched, std::int64_t now_ms) {
  return pool_.use(Access::write, [&](Database& database) {
    const auto known = find_key(database, agent_key);
    if (!known) return false;
    Statement vouch(database, "UPDATE signing_key SET vouched_at_ms = ? WHERE COALESCE(machine_key, agent_key) = ?");
    vouch.bind(1, vouched ? std::optional(now_ms) : std::nullopt).bind(2, known->machine_key).run();
    return database.changes() > 0;
  });
}

KeyChange RunStore::replace_key(std::string_view agent_key, std::string_view replaced_by, std::int64_t now_ms) {
  const auto known = key(agent_key);  // a look first, as in retract()
  if (!known) return KeyChange::unknown;
  if (known->revoked_at_ms) return known->replaced_by == replaced_by ? KeyChange::done : KeyChange::revoked;
  return pool_.use(Access::write, [&](Database& database) {
    const auto old = find_key(database, agent_key);
    if (!old) return KeyChange::unknown;
    if (!old->revoked_at_ms && put_key_in_place(database, agent_key, *old, replaced_by, now_ms)) return KeyChange::done;
    const auto now = find_key(database, agent_key);
    if (!now || !now->revoked_at_ms) return KeyChange::taken;
    return now->replaced_by == replaced_by ? KeyChange::done : KeyChange::revoked;
  });
}

void RunStore::require_working() const {
  pool_.use(Access::read,
            [](Database& database) { Statement(database, "SELECT COUNT(*) FROM schema_migration").step(); });
}

}  // namespace gpuassay
