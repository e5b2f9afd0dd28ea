// gpuassay run --repeat: several runs one after the other, and how far apart they are.
#pragma once

#include <functional>
#include <optional>

#include "agent/environment.h"
#include "agent/options.h"
#include "core/model.h"

namespace gpuassay {

/// What became of one run. `result` is empty where nothing was measured.
struct OneRun {
  int exit_code = 0;
  std::optional<Result> result;
  bool saved = false;
};

/// One whole run; with `shown` its report goes to stdout and people are asked what they are asked after a run.
using MeasureOnce = std::function<OneRun(const RunOptions& options, const Environment& environment, bool shown)>;

/// options.repeat runs, each saved as a result of its own, the money limit divided among them; ends early after one
/// that was interrupted, measured nothing or could not be saved. Prints the last report and the spread of the
/// headlines, or as JSON the runs and the spread. The worst of the exit codes.
int repeat_runs(const RunOptions& options, const Environment& environment, const MeasureOnce& measure_once);

}  // namespace gpuassay
