#include "collector/assessment.h"

#include "collector/ingest.h"
#include "collector/plausibility.h"
#include "core/result_json.h"

namespace gpuassay {

StoredRun assessed(const StoredRun& run) {
  StoredRun now = columns_of(parse_result(run.body), run.received_at_ms);
  if (run.quarantine_reason && !is_reason_of_document(*run.quarantine_reason))
    now.quarantine_reason = run.quarantine_reason;
  return now;
}

}  // namespace gpuassay
