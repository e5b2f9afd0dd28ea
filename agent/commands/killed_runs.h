// Runs whose process was killed become partial results.
#pragma once

#include "agent/progress.h"
#include "agent/spool.h"

namespace gpuassay {

/// Saves a partial result for every journal whose process is gone and tells the user. A journal that cannot be read
/// is put aside. Throws Error{not_saved}; the journals not yet dealt with stay.
void keep_killed_runs(const Spool& spool, Progress& progress);

}  // namespace gpuassay
