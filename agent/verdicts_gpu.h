// What in a finished result is suspicious about its GPUs? Part of verdicts.h. Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Adds library_missing (all GEMM or all convolution of a GPU was skipped because no library fits), throttled (heat or
/// hardware slowed it down), power_capped (its power limit did), shared_gpu (its figures spread though neither did) and
/// slow_link (fewer PCIe lanes or a lower generation than it has).
void judge_gpus(const Result& result, std::vector<Verdict>& verdicts);

}  // namespace gpuassay
