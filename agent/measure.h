// Runs a plan in the worker process under one overall deadline, keeping every finished case whatever happens.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/worker.h"
#include "core/model.h"

namespace gpuassay {

/// The world outside the stage. Functions must not throw.
struct MeasureContext {
  std::function<double()> now_s;                 ///< monotonic clock
  double deadline_s = 0;                         ///< on that clock; no case runs past it
  int interrupt_fd = -1;                         ///< readable when the run is to stop; -1 for never
  std::function<std::string()> why_interrupted;  ///< asked for once that is so; one line
  std::function<void(const Case& planned, std::size_t index)> on_start;
  std::function<void(const Measurement& measurement)> on_finished;  ///< the sink: called as soon as a case ends
};

struct MeasureOutcome {
  std::vector<Measurement> measurements;  ///< one per case of the plan, in its order, repeats as well
  std::vector<Reason> reasons;            ///< why some are missing: budget, interrupted, worker_died, ...
  CaseTime spent = {};                    ///< of all cases; of those that ran at the same time the longest
};

/// Every case ends as a measurement: measured, failed (its worker crashed or hung: the next case gets a fresh
/// worker) or skipped (deadline, interruption, or too many dead workers).
MeasureOutcome measure(const std::vector<Case>& plan, const std::function<CaseRunner()>& make_runner,
                       const MeasureContext& context);

}  // namespace gpuassay
