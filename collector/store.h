// Which runs does this collector hold? Once insert() has returned, a run survives a power loss.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/sqlite.h"

namespace gpuassay {

/// One accepted upload: the signed bytes and the columns that queries use. Empty optionals are unknown.
struct StoredRun {
  std::string run_id, body, body_sha256;
  std::string agent_key;  ///< base64 of the public key that signed the body
  std::int64_t received_at_ms = 0;
  std::string receipt;
  bool simulated = false;
  std::int64_t started_at_ms = 0;
  std::string provider;
  std::optional<std::string> instance_type, region, pricing_model;
  std::optional<std::string> gpu_model;  ///< empty without a GPU and for a mix of models
  std::int64_t gpu_count = 0;
  std::optional<std::int64_t> gpu_memory_bytes;  ///< of one device
  std::optional<std::string> instance_key;       ///< the instance type as prices are compared by it
  std::optional<std::string> gpu_variant;
  std::optional<std::int64_t> vcpus_milli, memory_mib;
  std::string score_version;
  std::optional<double> score;
};

/// What is needed to answer an upload of a run that is already there.
struct KnownRun {
  std::string body_sha256, receipt;
};

/// Opens `data_dir`/collector.db, making folder (0700) and file first when they do not exist. Every commit is synced.
/// Throws Error{not_saved} or Error{database}.
Database open_collector_database(const std::string& data_dir);

/// The table `run`. For one thread at a time. Failures are Error{database}.
class RunStore {
 public:
  /// Makes or updates the table. `database` must outlive the store.
  explicit RunStore(Database& database);

  [[nodiscard]] std::optional<KnownRun> find(std::string_view run_id) const;
  [[nodiscard]] std::optional<std::string> body(std::string_view run_id) const;
  /// `run.run_id` must be new.
  void insert(const StoredRun& run);

 private:
  Database& database_;
};

}  // namespace gpuassay
