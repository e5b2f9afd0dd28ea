// With which earlier run of this machine can its probes be compared?
#pragma once

#include <optional>

#include "agent/spool.h"
#include "core/model.h"

namespace gpuassay {

/// Whether `earlier` is a complete run by this version of the program on the same devices, by the hashes of their ids
/// where they have some, of the same host and, where both know it, instance.
bool is_of_this_machine(const Result& earlier, const Result& now);

/// The newest of those in the spool; looks at the 100 newest runs. What cannot be read is none.
std::optional<Result> newest_run_of_this_machine(const std::optional<Spool>& spool, const Result& now);

}  // namespace gpuassay
