// Where a run keeps what it measures: the data directory, or what stands in the way of saving to it.
#pragma once

#include <optional>
#include <string>

#include "agent/environment.h"
#include "agent/file_descriptor.h"
#include "agent/progress.h"
#include "agent/spool.h"
#include "core/error.h"
#include "core/model.h"

namespace gpuassay {

struct RunStore {
  std::optional<Spool> spool;
  std::optional<FileDescriptor> run_lock;
  std::optional<Journal> journal;
  std::string problem;  ///< why the run is not saved

  /// Another process measuring is not a storage problem: that error passes through.
  void attempt(const auto& action) {
    if (!spool) return;
    try {
      action(*spool);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::busy) throw;
      problem = error.what();
    }
  }

  /// Starts the journal: killed from here on, the run becomes a partial result.
  void begin(const Result& begun);
};

/// Takes the lock of the data directory and keeps what killed runs left there. Throws Error{busy}; any other problem is
/// told and kept in the store: the run measures all the same.
RunStore open_run_store(const Environment& environment, Progress& progress);

}  // namespace gpuassay
