// How does an operator take runs out of the dataset, for a contributor who lost the key or for a key that was misused?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collector/options_database.h"
#include "collector/store.h"

namespace gpuassay {

struct RetractOptions {
  std::string data_dir;
  DatabaseChoice database = {};
  std::vector<std::string> run_ids;
  std::string key;  ///< base64; empty: only the runs
};

/// Erases the runs as their contributors could, and with a key revokes it first, so that it brings no new ones. May be
/// repeated. What was done, in words. Throws Error{usage} when nothing is known of a run or of the key; runs before it
/// in the list are then retracted.
std::string retract_runs(RunStore& store, const RetractOptions& options, std::int64_t now_ms);

}  // namespace gpuassay
