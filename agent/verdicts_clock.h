// Is this machine's wall clock one that its times can be trusted by?
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Adds "clock_wrong" (the run began before there was this program) and "clock_jumped" (the clock was set during the
/// run). Durations and samples are of a clock that only moves forward, so figures do not suffer; joining with prices
/// does.
void judge_clock(const Result& result, std::vector<Verdict>& verdicts);

}  // namespace gpuassay
