// Is each GPU what its name says? Part of verdicts.h. Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Adds fewer_sms (it has fewer multiprocessors than its model, and nothing else speaks against its name) or
/// identity_doubtful (anything else of core/identity.h).
void judge_identity(const Result& result, std::vector<Verdict>& verdicts);

}  // namespace gpuassay
