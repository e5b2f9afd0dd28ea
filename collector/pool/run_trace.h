// What of a run is compared with other runs, and where that is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/database.h"
#include "core/model.h"

namespace gpuassay {

struct RunTrace {
  std::int64_t finished_at_ms = 0;
  std::optional<std::string> instance;  ///< hash of the instance, as the agent gave it
  std::vector<std::string> gpus;        ///< hashes of the GPUs
  std::vector<std::int64_t> patterns;   ///< sample_patterns()
};

RunTrace trace_of(const Result& result);

/// Notes it, to be checked. Within the transaction that stores the run.
void insert_trace(Database& database, std::string_view run_id, const RunTrace& trace);
/// All that is kept of the run for comparisons, its flags too. Within the transaction that erases the run.
void erase_trace(Database& database, std::string_view run_id);

}  // namespace gpuassay
