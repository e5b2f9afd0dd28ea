// After a result was sent: lets the collector check and time this machine, and says in words what came of it.
#pragma once

#include <string>
#include <vector>

#include "agent/commands/collector_target.h"
#include "agent/environment.h"
#include "agent/inventory.h"
#include "agent/progress.h"
#include "core/model.h"

namespace gpuassay {

/// Lines for the report, one for each device and one for the label of the run; or why there is none. Never throws.
std::vector<std::string> verify(const Result& result, const Machine& machine, const CollectorTarget& target,
                                const Environment& environment, Progress& progress);

}  // namespace gpuassay
