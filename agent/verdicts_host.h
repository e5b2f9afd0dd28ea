// Does what surrounds the GPUs starve them? Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// slow_disk: reads less than 0.1 GB/s, so that a model of 16 GB takes longer than 160 s. slow_host: the host's memory
/// gives less than one GPU's link takes. Of real machines with a GPU only.
void judge_host(const Result& result, std::vector<Verdict>& verdicts);

}  // namespace gpuassay
