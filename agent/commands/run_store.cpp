#include "agent/commands/run_store.h"

#include "agent/commands/killed_runs.h"
#include "agent/journal_record.h"

namespace gpuassay {

void RunStore::begin(const Result& begun) {
  attempt([&](const Spool& open) {
    journal = open.start_journal(begun.run_id);
    journal->append(journal_first_line(begun));
  });
}

RunStore open_run_store(const Environment& environment, Progress& progress) {
  RunStore store;
  try {
    store.spool.emplace(environment.data_dir);
  } catch (const Error& error) {
    store.problem = error.what();
  }
  store.attempt([&](const Spool& spool) {
    store.run_lock = spool.lock_for_run();
    spool.remove_stale_temporaries();
    keep_killed_runs(spool, progress);
  });
  if (!store.problem.empty()) progress.warn(store.problem + " (measuring all the same; the result will be printed)");
  return store;
}

}  // namespace gpuassay
