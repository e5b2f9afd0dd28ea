#include "collector/pool/run_trace.h"

#include <fmt/format.h>

#include <algorithm>

#include "collector/pool/sample_pattern.h"
#include "core/timestamp.h"

namespace gpuassay {

RunTrace trace_of(const Result& result) {
  constexpr double kMsPerS = 1000;
  RunTrace trace;
  // The clock may have been set meanwhile; the duration holds.
  trace.finished_at_ms = parse_rfc3339_ms(result.started_at) + static_cast<std::int64_t>(result.duration_s * kMsPerS);
  trace.instance = result.platform.instance_id_hash;
  for (const Device& device : result.devices)
    if (device.uuid_hash) trace.gpus.push_back(*device.uuid_hash);
  std::sort(trace.gpus.begin(), trace.gpus.end());
  trace.gpus.erase(std::unique(trace.gpus.begin(), trace.gpus.end()), trace.gpus.end());
  trace.patterns = sample_patterns(result);
  return trace;
}

void insert_trace(Database& database, std::string_view run_id, const RunTrace& trace) {
  Statement insert(database,
                   "INSERT INTO run_trace (run_id, finished_at_ms, instance, checked) VALUES (?, ?, ?, 0) ON CONFLICT "
                   "(run_id) DO NOTHING");
  insert.bind(1, run_id).bind(2, trace.finished_at_ms).bind(3, trace.instance).run();
  for (const std::string& gpu : trace.gpus) {
    Statement add(database, "INSERT INTO run_gpu (run_id, gpu) VALUES (?, ?) ON CONFLICT DO NOTHING");
    add.bind(1, run_id).bind(2, gpu).run();
  }
  for (const std::int64_t pattern : trace.patterns) {
    Statement add(database, "INSERT INTO run_pattern (run_id, pattern) VALUES (?, ?) ON CONFLICT DO NOTHING");
    add.bind(1, run_id).bind(2, pattern).run();
  }
}

void erase_trace(Database& database, std::string_view run_id) {
  for (const char* const table : {"run_trace", "run_gpu", "run_pattern", "run_flag"}) {
    Statement erase(database, fmt::format("DELETE FROM {} WHERE run_id = ?", table));
    erase.bind(1, run_id).run();
  }
  // What it was the reason of stays; its name does not.
  Statement forget(database,
                   "UPDATE run_flag SET detail = replace(detail, ?, 'a run that was taken back') WHERE detail LIKE ?");
  forget.bind(1, run_id).bind(2, fmt::format("%{}", run_id)).run();
}

}  // namespace gpuassay
