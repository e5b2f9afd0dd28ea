// What in a finished result is suspicious, in plain words with its remedy. Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// wrong_result, case_failed, what verdicts_gpu.h, verdicts_health.h, verdicts_identity.h and verdicts_clock.h find,
/// contended (the hypervisor took CPU time), noisy (a headline figure spreads). Empty when nothing is suspicious.
std::vector<Verdict> judge(const Result& result);

}  // namespace gpuassay
