// What does the store keep of one run, and what may be asked about runs? Value types only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/pool/run_trace.h"

namespace gpuassay {

/// The columns that queries use. Empty optionals are unknown.
struct RunColumns {
  std::string run_id;
  std::string agent_key;  ///< base64 of the public key that signed the body
  std::int64_t received_at_ms = 0;
  bool simulated = false;
  std::string trust = "self_reported";
  std::optional<std::string> quarantine_reason;  ///< when set, the run counts in no aggregate
  std::int64_t started_at_ms = 0;
  std::string provider;
  std::optional<std::string> instance_type, region, pricing_model;
  std::optional<std::string> gpu_model;  ///< empty without a GPU and for a mix of models
  std::int64_t gpu_count = 0;
  std::optional<std::int64_t> gpu_memory_bytes;  ///< of one device
  std::optional<std::string> instance_key;       ///< the instance type as prices are compared by it
  std::optional<std::string> gpu_variant;
  std::optional<std::int64_t> vcpus_milli, memory_mib;
  std::string score_version;
  std::optional<double> score;
};

/// One accepted upload: the columns, and the exact bytes that were signed and answered.
struct StoredRun : RunColumns {
  std::string body, body_sha256, receipt;
  std::optional<std::string> signature = {};  ///< base64, of the body; empty for runs taken in before it was kept
  RunTrace trace = {};                        ///< written, never read back here
};

/// What is needed to answer an upload of a run that is already there.
struct KnownRun {
  std::string body_sha256, receipt;             ///< empty when retracted
  std::optional<std::int64_t> retracted_at_ms;  ///< taken back by its contributor: it does not come again
  std::optional<std::string> quarantine_reason = {};
};

/// Which runs; every condition that is set must hold. Retracted runs are never among them.
struct RunFilter {
  std::optional<std::string> gpu_model, provider, instance_type, region, trust, agent_key;
  std::optional<std::int64_t> started_from_ms, started_before_ms;
  bool with_simulated = false, with_quarantined = false;
};

/// The place of a run in the order of pages.
struct RunCursor {
  std::int64_t received_at_ms = 0;
  std::string run_id;
};

struct RunPage {
  std::vector<RunColumns> runs;   ///< newest first
  std::optional<RunCursor> next;  ///< where the next page begins, which may be empty; unset after the last one
};

struct Retraction {
  std::string run_id;
  std::int64_t retracted_at_ms = 0;
};

/// A key that signed runs. A revoked or replaced one is known, but no longer trusted for new runs.
struct SigningKey {
  std::int64_t first_seen_ms = 0;
  std::optional<std::int64_t> revoked_at_ms;
  std::optional<std::string> replaced_by;
  std::string machine_key;  ///< the first key of the machine; the key itself unless it replaced another
};

}  // namespace gpuassay
