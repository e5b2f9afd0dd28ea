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
  std::optional<Result> result = {};
  bool saved = false;
  bool stopped = false;  ///< somebody asked it to end
};

/// A run alone; one of several, with its report but without the question whether to contribute; or one of several whose
/// stdout is for one JSON document that is not its own.
enum class RunPart { whole, of_text, of_json };
using MeasureOnce = std::function<OneRun(const RunOptions& options, const Environment& environment, RunPart part)>;

/// options.repeat runs, each saved as a result of its own, the money limit divided among them; ends early after one
/// that was asked to stop, failed, measured nothing or could not be saved. Prints their reports and the spread of the
/// headlines, or as JSON the runs, with the document of one that was not saved, and the spread. The gravest of the exit
/// codes.
int repeat_runs(const RunOptions& options, const Environment& environment, const MeasureOnce& measure_once);

}  // namespace gpuassay
