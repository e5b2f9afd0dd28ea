// For whom does the operator vouch? Runs of such contributors count in headlines without a verified run.
#pragma once

#include <cstdint>
#include <string>

#include "collector/options_database.h"
#include "collector/store.h"

namespace gpuassay {

struct VouchOptions {
  std::string data_dir;
  DatabaseChoice database = {};
  std::string key;        ///< base64, of the contributor's machine
  bool withdraw = false;  ///< vouches no more
};

/// Notes it, for all keys of that machine; may be repeated. What was done, in words. Throws Error{usage} when the key
/// is unknown.
std::string vouch(RunStore& store, const VouchOptions& options, std::int64_t now_ms);

}  // namespace gpuassay
