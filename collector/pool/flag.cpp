#include "collector/pool/flag.h"

namespace gpuassay {

void put_flag(Database& database, const FoundFlag& flag, std::int64_t now_ms) {
  Statement insert(database,
                   "INSERT INTO run_flag (run_id, code, detail, flagged_at_ms) "
                   "SELECT run_id, ?, ?, ? FROM run_trace WHERE run_id = ? ON CONFLICT (run_id, code) DO NOTHING");
  insert.bind(1, flag.code).bind(2, flag.detail).bind(3, now_ms).bind(4, flag.run_id).run();
}

}  // namespace gpuassay
