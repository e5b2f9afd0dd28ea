// A reason to look at a run, as it is found and as it is kept.
#pragma once

#include <cstdint>
#include <string>

#include "core/database.h"

namespace gpuassay {

struct FoundFlag {
  std::string run_id, code, detail;
};

/// The first detail of a code is kept. Nothing for a run that is gone.
void put_flag(Database& database, const FoundFlag& flag, std::int64_t now_ms);

}  // namespace gpuassay
