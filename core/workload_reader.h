// Which workloads are there? Reads the traces that scripts/trace_workload wrote and the build embedded. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "core/workload.h"

namespace gpuassay {

/// Reads one trace. Strict: exactly the known keys, columns and names, counts of at least one, sums that agree with
/// what is listed. Throws Error{unreadable_input} naming the place otherwise.
TracedWorkload read_workload(std::string_view json);

/// The workloads that every card is measured by, in the order train, prefill, decode. Read once.
const std::vector<TracedWorkload>& core_workloads();

/// Those that few cards can hold: reported, never scored. Read once.
const std::vector<TracedWorkload>& large_workloads();

/// Of both lists; null when none is called so.
const TracedWorkload* find_workload(std::string_view id);

}  // namespace gpuassay
