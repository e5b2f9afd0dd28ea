// A run that measures nothing because an earlier one did: what the command line asks for is done with that one.
#pragma once

#include <optional>
#include <string>

#include "agent/commands/collector_target.h"
#include "agent/environment.h"
#include "agent/options.h"
#include "agent/progress.h"
#include "agent/spool.h"

namespace gpuassay {

/// Writes --out, prints --json, and sends the result to `wanted` if it was neither taken, refused nor withdrawn. False
/// when something that was asked for could not be done, which is told.
bool deliver_earlier_run(const std::string& run_id, const RunOptions& options,
                         const std::optional<CollectorTarget>& wanted, const std::optional<Spool>& spool,
                         const Environment& environment, Progress& progress);

}  // namespace gpuassay
