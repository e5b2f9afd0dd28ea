// What does this program make of a run that is stored, going by its body? For what checks and what renews its columns.
#pragma once

#include "collector/run_record.h"

namespace gpuassay {

/// The columns of `run` as columns_of() has them now. A quarantine that does not come from the document stays: an
/// operator had a reason that no body tells. Throws Error when this program cannot read the body.
StoredRun assessed(const StoredRun& run);

/// Calls `visit(column, stored, now)` for every column that follows from the body, without the run_id.
template <class Visit>
void for_derived_columns(const RunColumns& stored, const RunColumns& now, const Visit& visit) {
  visit("simulated", stored.simulated, now.simulated);
  visit("quarantine_reason", stored.quarantine_reason, now.quarantine_reason);
  visit("started_at_ms", stored.started_at_ms, now.started_at_ms);
  visit("provider", stored.provider, now.provider);
  visit("instance_type", stored.instance_type, now.instance_type);
  visit("region", stored.region, now.region);
  visit("pricing_model", stored.pricing_model, now.pricing_model);
  visit("gpu_model", stored.gpu_model, now.gpu_model);
  visit("gpu_count", stored.gpu_count, now.gpu_count);
  visit("gpu_memory_bytes", stored.gpu_memory_bytes, now.gpu_memory_bytes);
  visit("instance_key", stored.instance_key, now.instance_key);
  visit("gpu_variant", stored.gpu_variant, now.gpu_variant);
  visit("vcpus_milli", stored.vcpus_milli, now.vcpus_milli);
  visit("memory_mib", stored.memory_mib, now.memory_mib);
  visit("score_version", stored.score_version, now.score_version);
  visit("score", stored.score, now.score);
}

}  // namespace gpuassay
