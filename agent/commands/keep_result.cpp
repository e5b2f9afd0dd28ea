#include "agent/commands/keep_result.h"

#include "agent/commands/result_file.h"
#include "agent/environment.h"
#include "core/error.h"

namespace gpuassay {
namespace {

Saved save(const Result& result, const std::string& body, const RunStore& store) {
  if (!store.spool) return {false, "NOT SAVED: " + store.problem};
  const std::string name = result.run_id + ".json";
  try {
    store.spool->save(name, body);
    store.spool->remove_journal(result.run_id);
    return {true, store.spool->path_of(name).string()};
  } catch (const Error& error) {
    return {false, std::string("NOT SAVED: ") + error.what()};
  }
}

/// Writes --out when asked to; false when that failed, which is told at once.
bool write_out(const RunOptions& options, const std::string& body, Progress& progress) {
  if (!options.out) return true;
  try {
    write_result_file(*options.out, body);
    return true;
  } catch (const Error& error) {
    progress.warn(error.what());
    return false;
  }
}

}  // namespace

Kept keep(const Result& result, const std::string& body, const RunOptions& options, RunPart part, RunStore& store,
          Progress& progress) {
  Kept kept{save(result, body, store), write_out(options, body, progress), false};
  const bool nowhere_else = !kept.out_written || !(kept.saved.durable || options.out);
  kept.on_stdout = part != RunPart::of_json && (options.json || nowhere_else);
  const bool printed = kept.on_stdout && print_out(body + "\n");
  // The whole document went out: the journal must not become another, shorter result of the same run.
  if (!kept.saved.durable && (printed || (options.out && kept.out_written))) {
    store.attempt([&](const Spool& spool) { spool.remove_journal(result.run_id); });
  }
  return kept;
}

}  // namespace gpuassay
