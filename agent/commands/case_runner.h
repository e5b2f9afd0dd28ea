// What measures the cases of a plan in the worker process?
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "agent/backends/backend.h"
#include "agent/inventory.h"
#include "agent/worker.h"

namespace gpuassay {

/// What a soak needs beside its load: preparing, choosing an algorithm, verifying.
inline constexpr double kAroundSoakS = 5;

/// The backend of what all GPUs do together; made in the worker at the first such case.
using GroupMaker = std::function<std::unique_ptr<Backend>()>;

/// `cases` and `machine` outlive it. No case loads a device beyond `deadline_s` of monotonic_s(). Without `make_group`
/// the GPUs of the machine are the group.
std::function<CaseRunner()> runner_maker(const std::vector<Case>& cases, const Machine& machine, double deadline_s,
                                         GroupMaker make_group = {});

}  // namespace gpuassay
