#include "collector/pool/pool_checks.h"

#include <algorithm>
#include <iterator>

#include "collector/pool/changes.h"
#include "collector/pool/new_runs.h"

namespace gpuassay {
namespace {

using Access = ConnectionPool::Access;

std::vector<std::string> unchecked_runs(Database& database, std::size_t limit) {
  Statement query(database, "SELECT run_id FROM run_trace WHERE checked = 0 ORDER BY run_id LIMIT ?");
  query.bind(1, static_cast<std::int64_t>(limit));
  std::vector<std::string> run_ids;
  while (query.step()) run_ids.push_back(query.text(0));
  return run_ids;
}

}  // namespace

std::size_t PoolChecks::check_new(std::size_t limit, std::int64_t now_ms) {
  const auto run_ids = pool_.use(Access::read, [&](Database& database) { return unchecked_runs(database, limit); });
  if (run_ids.empty()) return 0;
  std::vector<FoundFlag> flags;
  for (const std::string& run_id : run_ids) {
    auto found = pool_.use(Access::read, [&](Database& database) { return flags_of_new_run(database, run_id); });
    std::move(found.begin(), found.end(), std::back_inserter(flags));
  }
  // One for all: every commit costs the uploads' disk a write.
  pool_.use(Access::write, [&](Database& database) {
    Transaction transaction(database, TransactionKind::concurrent);
    for (const FoundFlag& flag : flags) put_flag(database, flag, now_ms);
    for (const std::string& run_id : run_ids) {
      Statement done(database, "UPDATE run_trace SET checked = 1 WHERE run_id = ?");
      done.bind(1, run_id).run();
    }
    transaction.commit();
  });
  return run_ids.size();
}

void PoolChecks::check_changes(std::int64_t now_ms) {
  const auto flags = pool_.use(Access::read, [&](Database& database) { return flags_of_changes(database, now_ms); });
  pool_.use(Access::write, [&](Database& database) {
    Transaction transaction(database, TransactionKind::concurrent);
    for (const FoundFlag& flag : flags) put_flag(database, flag, now_ms);
    transaction.commit();
  });
}

std::vector<RunFlag> PoolChecks::flags_of(std::string_view run_id) const {
  return pool_.use(Access::read, [&](Database& database) {
    Statement query(database, "SELECT code, detail FROM run_flag WHERE run_id = ? ORDER BY code");
    query.bind(1, run_id);
    std::vector<RunFlag> flags;
    while (query.step()) flags.push_back({query.text(0), query.text(1)});
    return flags;
  });
}

}  // namespace gpuassay
