// May this uploaded body become part of the dataset, and what is answered? No HTTP in here.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/rate_limit.h"
#include "collector/store.h"
#include "core/model.h"
#include "core/schema.h"
#include "core/signature.h"

namespace gpuassay {

/// The exact bytes that were sent, and who says to have signed them.
struct Upload {
  std::string_view body;
  std::optional<std::string> key_base64, signature_base64;
};

enum class IngestStatus {
  created,            ///< stored now
  replayed,           ///< stored before with this very body: same receipt
  conflict,           ///< the run_id is known with another body, which is kept
  malformed,          ///< not a JSON document within the limits
  invalid,            ///< JSON, but not a result of the published schema
  simulated_refused,  ///< a simulated run, which this collector does not take
  unsigned_body,      ///< no readable key or signature came with it
  retracted,          ///< its contributor took this run back; it does not come again
  revoked_key,        ///< the key was revoked or replaced
  bad_signature,      ///< the signature is not of this body by this key
  too_many,           ///< this key sends faster than its limit: `retry_after_s`
};

/// "created", "bad_signature": for counting.
std::string_view name_of(IngestStatus status);

/// What an agent sends to take a run back: a signature of deletion_signing_message(run_id).
struct Deletion {
  std::string run_id;
  std::optional<std::string> key_base64, signature_base64;
};

struct DeletionOutcome {
  enum class Status { deleted, unknown, other_key, unsigned_request, bad_signature };
  Status status = Status::unknown;
  std::string tombstone;  ///< deleted: signed by the collector; the same whenever it is asked again
  std::string detail;     ///< why not
};

struct IngestOutcome {
  IngestStatus status = IngestStatus::malformed;
  std::string run_id;   ///< when the document names one
  std::string receipt;  ///< for created and replayed
  std::string detail;   ///< why, for every refusal; for a stored run why it counts in no aggregate, if so; one line
  std::vector<std::string> violations;  ///< for invalid: what breaks the schema, by JSON pointer
  std::int64_t retry_after_s = 0;       ///< for too_many
};

/// The columns of a run that was received at `received_at_ms`: figures are those recomputed from the raw samples; with
/// the reasons when it cannot be what it says. Body, hash, key, signature and receipt stay empty.
StoredRun columns_of(const Result& result, std::int64_t received_at_ms);

/// Which runs a collector takes.
struct IngestPolicy {
  bool accept_simulated = false;
  RateLimit per_key = {};  ///< of runs that are new; the same run again costs nothing
  std::function<std::int64_t()> steady_ms = gpuassay::steady_ms;  ///< for that limit; asked by any thread
};

/// Checks and stores uploads. Safe to use from any thread: of two that bring one run at once, one stores it and both
/// get its receipt.
class Ingest {
 public:
  /// `now_ms` is the wall clock in milliseconds since 1970, asked by any thread. `store` must outlive this.
  Ingest(RunStore& store, const KeyPair& collector_key, IngestPolicy policy, std::function<std::int64_t()> now_ms);

  /// Hostile until proven otherwise: limits (1 MiB and no white space between values among them), schema, policy,
  /// signature, in this order; then stored durably, implausible runs too, which then count in no aggregate. Throws
  /// Error{database} when the store does not work; then nothing has been acknowledged.
  IngestOutcome accept(const Upload& upload);
  /// Erases the run for the key that signed it; only its run_id stays, so that it does not come again.
  DeletionOutcome retract(const Deletion& deletion);

 private:
  IngestOutcome store(const Result& result, const Upload& upload, const std::string& sha256);
  IngestOutcome store_new(const Result& result, const Upload& upload, const std::string& sha256);

  RunStore& store_;
  KeyPair collector_key_;
  IngestPolicy policy_;
  std::function<std::int64_t()> now_ms_;
  RateLimiter per_key_;
  SchemaValidator schema_{"result"};
};

}  // namespace gpuassay
