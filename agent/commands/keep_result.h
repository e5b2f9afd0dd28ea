// Where does the document of a run go, so that nothing measured is lost?
#pragma once

#include <string>

#include "agent/commands/repeat.h"
#include "agent/commands/run_store.h"
#include "agent/options.h"
#include "agent/progress.h"
#include "core/model.h"

namespace gpuassay {

/// Durable in the data directory; `where` is the file, or why there is none.
struct Saved {
  bool durable = false;
  std::string where;
};

/// Where the document went.
struct Kept {
  Saved saved;
  bool out_written = false;  ///< --out, or nobody asked for it
  bool on_stdout = false;    ///< the document itself; the report then goes to stderr
};

/// Saves `body`, writes --out, and prints it where that was asked for or it has no other place.
Kept keep(const Result& result, const std::string& body, const RunOptions& options, RunPart part, RunStore& store,
          Progress& progress);

}  // namespace gpuassay
