// Waiting for measuring processes: for one, or for several that measure at the same time and start together.
#pragma once

#include <optional>
#include <vector>

#include "agent/measure.h"
#include "agent/worker.h"

namespace gpuassay {

enum class Wait { answered, ended, hung, deadline, interrupted };

/// One worker that was asked for a case.
struct Awaited {
  const Worker* worker = nullptr;  ///< not owned
  double patience_s = 0;           ///< how long preparing may take, and measuring once more
  std::optional<Wait> how = {};    ///< `answered`: a message is there to be received
};

/// Returns when `how` is set of each. Cases that ask to start together are let go as soon as every one that is left has
/// asked; those that wait for the others are not hanging. The deadline and an interruption end all that is open.
void wait_for_workers(std::vector<Awaited>& workers, const MeasureContext& context);

}  // namespace gpuassay
