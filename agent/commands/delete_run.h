// gpuassay upload --delete: takes a contributed run back.
#pragma once

#include <string>

#include "agent/commands/collector_target.h"
#include "agent/environment.h"
#include "agent/spool.h"

namespace gpuassay {

/// Notes beside the run that it is withdrawn, so that no later upload sends it, then asks the collector to delete it
/// and tells what came of that. Returns the exit code: 0 when the collector no longer has it. Throws Error{usage} when
/// `run_id` is none.
int delete_run(const std::string& run_id, const CollectorTarget& target, const Spool& spool,
               const Environment& environment);

}  // namespace gpuassay
