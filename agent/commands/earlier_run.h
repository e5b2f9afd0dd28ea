// A run that measures nothing because an earlier one did: what the command line asks for is done with that one.
#pragma once

#include <optional>

#include "agent/commands/collector_target.h"
#include "agent/commands/once.h"
#include "agent/environment.h"
#include "agent/options.h"
#include "agent/progress.h"
#include "agent/spool.h"

namespace gpuassay {

/// Says why nothing is measured. Then writes --out, prints --json, and sends the earlier result to `wanted` if it was
/// neither taken, refused nor withdrawn. The exit code: 4 where the runs before were killed, 6 when something that was
/// asked for could not be done.
int use_earlier_run(const OnceMarker& once, const RunOptions& options, const std::optional<CollectorTarget>& wanted,
                    const std::optional<Spool>& spool, const Environment& environment, Progress& progress);

}  // namespace gpuassay
