// What broke, or may be about to? Part of verdicts.h. Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Adds ecc_errors (memory errors were counted during the run), xid_errors (the driver logged some) and
/// memory_missing (not all of the memory reads back what was written).
void judge_health(const Result& result, std::vector<Verdict>& verdicts);

}  // namespace gpuassay
