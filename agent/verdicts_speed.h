// Is a GPU much slower than it should be, by its own peak, beside another of its kind, or once it is hot?
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Adds "below_peak", "slower_than_twin" and "falls_under_load". The bounds are far below what healthy GPUs reach, so
/// that none is accused.
void judge_speed(const Result& result, std::vector<Verdict>& verdicts);

}  // namespace gpuassay
