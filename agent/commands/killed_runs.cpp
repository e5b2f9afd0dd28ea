#include "agent/commands/killed_runs.h"

#include <fmt/format.h>

#include "agent/journal_record.h"
#include "core/error.h"
#include "core/result_json.h"

namespace gpuassay {

void keep_killed_runs(const Spool& spool, Progress& progress) {
  for (const LeftJournal& journal : spool.left_journals()) {
    const std::string name = journal.run_id + ".json";
    // Killed after saving, before removing the journal: nothing is missing.
    if (spool.read(name)) {
      spool.remove_journal(journal.run_id);
      continue;
    }
    std::string body;
    try {
      const Result result = result_of_killed_run(journal.run_id, journal.lines);
      body = canonical_json(result);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::not_saved) throw;
      spool.set_journal_aside(journal.run_id);
      progress.warn(fmt::format("a killed run left a journal that cannot be read ({}); it is kept as {}.corrupt",
                                error.what(), spool.path_of(journal.run_id).string()));
      continue;
    }
    spool.save(name, body);
    spool.remove_journal(journal.run_id);
    progress.say(
        fmt::format("an earlier run was killed; what it had measured is saved as {}", spool.path_of(name).string()));
  }
}

}  // namespace gpuassay
