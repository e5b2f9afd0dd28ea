// The measuring stage of a run: every case under one deadline, each into the journal as it ends, and what broke
// meanwhile.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/assemble.h"
#include "agent/backends/host_backend.h"
#include "agent/commands/run_store.h"
#include "agent/group/group_run.h"
#include "agent/interruption.h"
#include "agent/inventory.h"
#include "agent/progress.h"
#include "core/model.h"

namespace gpuassay {

/// Kept back from the wall-clock limit for saving, scoring and ending the worker.
inline constexpr double kReserveS = 0.5;

/// When the run began, on monotonic_s(), and what it may take.
struct RunLimits {
  double started_s = 0;
  double budget_s = 0;
  std::optional<std::string> price_usd_per_hour;  ///< decimal text, for the money spent so far

  [[nodiscard]] double left_s() const;
};

/// With a `group` every rank of it measures, and what is told is rank 0's.
RunEnd measure_run(const std::vector<Case>& cases, const Machine& machine, const HostSelection& host,
                   const RunLimits& limits, LeadingRun* group, RunStore& store, Progress& progress,
                   Interruption& interruption);

}  // namespace gpuassay
