// The documented exit codes and which one applies.
#pragma once

#include "core/error.h"
#include "core/model.h"

namespace gpuassay {

enum ExitCode : int {
  kExitOk = 0,
  kExitUsage = 2,
  kExitNothingMeasurable = 3,
  kExitPartial = 4,
  kExitWrongResult = 5,
  kExitNotSaved = 6,
  kExitRequirement = 7,
  kExitInternal = 70,
};

/// What became of a run besides its measurements.
struct RunOutcome {
  bool saved = true;           ///< durable in the data directory
  bool upload_failed = false;  ///< an upload was wanted and did not succeed
  bool falls_short = false;    ///< a requirement is not met
};

/// When several codes apply: 3, 5, 6, 7, 4 in this order.
int exit_code_for(const Result& result, const RunOutcome& outcome);

/// The code of a command that ended with `error`.
int exit_code_for(const Error& error);

}  // namespace gpuassay
