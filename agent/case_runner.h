// How does the measuring process measure the cases of a plan on this machine's devices?
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "agent/backends/host_backend.h"
#include "agent/inventory.h"
#include "agent/worker.h"
#include "core/model.h"

namespace gpuassay {

/// What a soak needs beside its load: preparing, choosing an algorithm, verifying.
inline constexpr double kAroundSoakS = 5;

/// The backend of what all GPUs do together; made in the worker at the first such case.
using GroupMaker = std::function<std::unique_ptr<Backend>()>;

/// Called in a worker: opens a device at its first case. Load that would not end before `deadline_s`, on
/// monotonic_s(), ends earlier, so that there is a figure. `cases` and `machine` must outlive the worker.
/// Without `make_group` the GPUs of the machine are the group.
std::function<CaseRunner()> case_runner_maker(const std::vector<Case>& cases, const Machine& machine,
                                              HostSelection host, double deadline_s, GroupMaker make_group = {});

}  // namespace gpuassay
