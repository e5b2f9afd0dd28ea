// Is a GPU much slower than it should be, by its own peak or beside another of its kind?
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Adds "below_peak" and "slower_than_twin". The bounds are far below what healthy GPUs reach, so that none is accused.
void judge_speed(const Result& result, std::vector<Verdict>& verdicts);

}  // namespace gpuassay
