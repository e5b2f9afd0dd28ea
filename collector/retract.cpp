#include "collector/retract.h"

#include <fmt/format.h>

#include "core/error.h"

namespace gpuassay {
namespace {

/// False when it had been taken back before.
bool retract_run(RunStore& store, const std::string& run_id, std::int64_t now_ms) {
  if (store.erase(run_id, now_ms)) return true;
  if (!store.find(run_id))
    throw Error(ErrorCode::usage, fmt::format("no run {} is stored; look for it with GET /v1/results", run_id));
  return false;
}

std::size_t retract_all_of(RunStore& store, const std::string& key, std::int64_t now_ms) {
  RunFilter filter;
  filter.agent_key = key;
  filter.with_simulated = filter.with_quarantined = true;
  constexpr std::size_t kPageRuns = 500;
  std::size_t retracted = 0;
  // What is retracted is no longer listed.
  for (auto page = store.list(filter, kPageRuns); !page.runs.empty(); page = store.list(filter, kPageRuns))
    for (const RunColumns& run : page.runs)
      if (retract_run(store, run.run_id, now_ms)) ++retracted;
  return retracted;
}

}  // namespace

std::string retract_runs(RunStore& store, const RetractOptions& options, std::int64_t now_ms) {
  if (!options.key.empty()) {
    if (!store.revoke_key(options.key, now_ms))
      throw Error(ErrorCode::usage,
                  "this key signed no run that is stored; it is the base64 text of 44 characters that the "
                  "agent sends as Gpuassay-Key");
    return fmt::format("{} runs retracted, key revoked\n", retract_all_of(store, options.key, now_ms));
  }
  std::string said;
  for (const std::string& run_id : options.run_ids)
    said +=
        fmt::format("{} {}\n", run_id, retract_run(store, run_id, now_ms) ? "retracted" : "had been retracted before");
  return said;
}

}  // namespace gpuassay
