#include "collector/store.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "core/error.h"
#include "core/migrations.h"
#include "embedded/RunMigration0001.h"
#include "embedded/RunMigration0002.h"

namespace gpuassay {

Database open_collector_database(const std::string& data_dir) {
  namespace fs = std::filesystem;
  std::error_code problem;
  if (fs::create_directories(data_dir, problem))
    fs::permissions(data_dir, fs::perms::owner_all, fs::perm_options::replace, problem);
  if (problem)
    throw Error(ErrorCode::not_saved, fmt::format("cannot make the data directory {}: {}; choose another --data-dir",
                                                  data_dir, problem.message()));
  Database database((fs::path(data_dir) / "collector.db").string());
  // NORMAL could lose runs that were acknowledged when the power fails.
  database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  return database;
}

RunStore::RunStore(Database& database) : database_(database) {
  constexpr std::array<std::string_view, 2> kMigrations{embedded::kRunMigration0001, embedded::kRunMigration0002};
  migrate(database_, "run", kMigrations);
}

std::optional<KnownRun> RunStore::find(std::string_view run_id) const {
  Statement query(database_, "SELECT body_sha256, receipt FROM run WHERE run_id = ?");
  query.bind(1, run_id);
  if (!query.step()) return std::nullopt;
  return KnownRun{query.text(0), query.text(1)};
}

std::optional<std::string> RunStore::body(std::string_view run_id) const {
  Statement query(database_, "SELECT body FROM run WHERE run_id = ?");
  query.bind(1, run_id);
  if (!query.step()) return std::nullopt;
  return query.text(0);
}

void RunStore::insert(const StoredRun& run) {
  Transaction transaction(database_);
  Statement insert(database_,
                   "INSERT INTO run (run_id, body, body_sha256, agent_key, received_at_ms, receipt, simulated, trust, "
                   "started_at_ms, provider, instance_type, region, pricing_model, gpu_model, gpu_count, "
                   "gpu_memory_bytes, score_version, score, instance_key, gpu_variant, vcpus_milli, memory_mib) "
                   "VALUES (?,?,?,?,?,?,?,'self_reported',?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  insert.bind(1, run.run_id).bind_blob(2, run.body).bind(3, run.body_sha256).bind(4, run.agent_key);
  insert.bind(5, run.received_at_ms).bind_blob(6, run.receipt).bind(7, std::int64_t{run.simulated});
  insert.bind(8, run.started_at_ms).bind(9, run.provider).bind(10, run.instance_type).bind(11, run.region);
  insert.bind(12, run.pricing_model).bind(13, run.gpu_model).bind(14, run.gpu_count).bind(15, run.gpu_memory_bytes);
  insert.bind(16, run.score_version).bind(17, run.score).bind(18, run.instance_key).bind(19, run.gpu_variant);
  insert.bind(20, run.vcpus_milli).bind(21, run.memory_mib).run();
  transaction.commit();
}

}  // namespace gpuassay
