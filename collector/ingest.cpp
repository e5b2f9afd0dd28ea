#include "collector/ingest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/plausibility.h"
#include "core/error.h"
#include "core/json_guard.h"
#include "core/price_question.h"
#include "core/price_text.h"
#include "core/prices.h"
#include "core/receipt.h"
#include "core/result_json.h"
#include "core/timestamp.h"

namespace gpuassay {
namespace {

/// As agents write it, as it is kept for ever: four times what a full run of eight GPUs has.
constexpr JsonLimits kUploadLimits = [] {
  JsonLimits limits;
  limits.max_bytes = std::size_t{1} << 20U;
  limits.compact = true;
  return limits;
}();

constexpr std::string_view kSignatureHeaders =
    "the headers Gpuassay-Key and Gpuassay-Signature must hold an Ed25519 key and signature in base64";

IngestOutcome refused(IngestStatus status, std::string detail, std::string run_id = {}) {
  IngestOutcome outcome;
  outcome.status = status;
  outcome.detail = std::move(detail);
  outcome.run_id = std::move(run_id);
  return outcome;
}

/// Memory of one GPU of a machine that has them all of one kind.
std::optional<std::int64_t> gpu_memory_bytes(const std::vector<Device>& devices) {
  const auto first = std::find_if(devices.begin(), devices.end(),
                                  [](const Device& device) { return device.kind == DeviceKind::cuda; });
  return first == devices.end() ? std::nullopt : first->memory_bytes;
}

/// A run is simulated when it says so anywhere.
bool is_simulated(const Result& result) {
  bool simulated = result.simulated;
  for (const Device& device : result.devices) simulated = simulated || device.simulated;
  return simulated;
}

/// Empty when the body was signed by the key that came with it.
std::optional<IngestOutcome> signature_problem(const Upload& upload, const std::string& sha256,
                                               const std::string& run_id) {
  const auto key = public_key_from_base64(upload.key_base64.value_or(""));
  const auto signature = signature_from_base64(upload.signature_base64.value_or(""));
  if (!key || !signature) return refused(IngestStatus::unsigned_body, std::string(kSignatureHeaders), run_id);
  if (!verify_signature(*key, result_signing_message_of_hash(sha256), *signature))
    return refused(IngestStatus::bad_signature, "the signature is not of this body by this key", run_id);
  return std::nullopt;
}

/// The answer to an upload whose run_id is stored.
IngestOutcome answer_known(const std::string& run_id, const std::string& sha256, KnownRun known) {
  if (known.retracted_at_ms)
    return refused(IngestStatus::retracted, "this run was taken back by its contributor", run_id);
  if (known.body_sha256 != sha256)
    return refused(IngestStatus::conflict, "this run_id is already stored with another body, which is kept", run_id);
  IngestOutcome outcome;
  outcome.status = IngestStatus::replayed;
  outcome.run_id = run_id;
  outcome.receipt = std::move(known.receipt);
  outcome.detail = known.quarantine_reason.value_or("");
  return outcome;
}

}  // namespace

std::string_view name_of(IngestStatus status) {
  switch (status) {
    case IngestStatus::created: return "created";
    case IngestStatus::replayed: return "replayed";
    case IngestStatus::conflict: return "conflict";
    case IngestStatus::malformed: return "malformed";
    case IngestStatus::invalid: return "invalid";
    case IngestStatus::simulated_refused: return "simulated_refused";
    case IngestStatus::unsigned_body: return "unsigned_body";
    case IngestStatus::retracted: return "retracted";
    case IngestStatus::revoked_key: return "revoked_key";
    case IngestStatus::bad_signature: return "bad_signature";
    case IngestStatus::too_many: return "too_many";
  }
  return "unknown";
}

StoredRun columns_of(const Result& result, std::int64_t received_at_ms) {
  const Recomputed facts = recompute(result);
  StoredRun run;
  run.run_id = result.run_id;
  run.simulated = is_simulated(result);
  run.started_at_ms = parse_rfc3339_ms(result.started_at);
  run.provider = result.platform.provider;
  run.instance_type = result.platform.instance_type;
  run.region = result.platform.region;
  run.pricing_model = result.platform.pricing_model;
  // As prices are asked: a mix of GPUs, and a run of some GPUs of a machine, have no model that could be compared.
  const PriceQuestion machine = price_question(result);
  constexpr Micros kOneGpu = 1'000'000;
  run.gpu_count = machine.gpu_count / kOneGpu;
  run.gpu_model = machine.gpu_model;
  if (machine.gpu_model) run.gpu_memory_bytes = gpu_memory_bytes(result.devices);
  if (run.instance_type) run.instance_key = instance_key(*run.instance_type);
  run.gpu_variant = machine.gpu_variant;
  run.vcpus_milli = scaled_quantity(machine.vcpus, 1000);
  run.memory_mib = scaled_quantity(machine.memory_gib, 1024);
  const Score& recomputed = facts.score;
  run.score_version = recomputed.version;
  run.score = recomputed.value;
  run.trace = trace_of(result);
  const std::vector<std::string> doubts = implausible_parts(result, facts, received_at_ms);
  if (!doubts.empty()) run.quarantine_reason = fmt::format("{}", fmt::join(doubts, "; "));
  return run;
}

Ingest::Ingest(RunStore& store, const KeyPair& collector_key, IngestPolicy policy, std::function<std::int64_t()> now_ms)
    : store_(store),
      collector_key_(collector_key),
      policy_(std::move(policy)),
      now_ms_(std::move(now_ms)),
      per_key_(policy_.per_key) {}

IngestOutcome Ingest::accept(const Upload& upload) {
  nlohmann::json document;
  try {
    document = parse_untrusted_json(upload.body, kUploadLimits);
  } catch (const Error& error) {
    return refused(IngestStatus::malformed, error.what());
  }
  IngestOutcome invalid = refused(IngestStatus::invalid, "the document does not keep the published result schema");
  invalid.violations = schema_.violations(document);
  if (!invalid.violations.empty()) return invalid;

  Result result;
  try {
    result = result_from_json(document);
    (void)parse_rfc3339_ms(result.started_at);
    if (!result.finished_at.empty()) (void)parse_rfc3339_ms(result.finished_at);
  } catch (const Error& error) {  // the schema cannot say everything, for instance which days a month has
    return refused(IngestStatus::invalid, error.what());
  }
  if (is_simulated(result) && !policy_.accept_simulated)
    return refused(IngestStatus::simulated_refused, "this collector takes no simulated results", result.run_id);
  const std::string sha256 = sha256_hex(upload.body);
  if (auto problem = signature_problem(upload, sha256, result.run_id)) return *std::move(problem);
  return store(result, upload, sha256);
}

IngestOutcome Ingest::store(const Result& result, const Upload& upload, const std::string& sha256) {
  if (auto known = store_.find(result.run_id)) return answer_known(result.run_id, sha256, std::move(*known));
  const auto key = store_.key(*upload.key_base64);
  if (key && key->revoked_at_ms)
    return refused(IngestStatus::revoked_key, "the key that signed it was revoked; use the machine's current key",
                   result.run_id);
  if (const auto wait_s = per_key_.wait_s(*upload.key_base64, policy_.steady_ms())) {
    IngestOutcome limited =
        refused(IngestStatus::too_many, "this key sends more runs than one machine makes", result.run_id);
    limited.retry_after_s = *wait_s;
    return limited;
  }
  try {
    return store_new(result, upload, sha256);
  } catch (...) {
    per_key_.give_back(*upload.key_base64);  // it will come again, and was not at fault
    throw;
  }
}

IngestOutcome Ingest::store_new(const Result& result, const Upload& upload, const std::string& sha256) {
  const std::int64_t now_ms = now_ms_();
  StoredRun run = columns_of(result, now_ms);
  run.body = upload.body;
  run.body_sha256 = sha256;
  run.agent_key = *upload.key_base64;
  run.signature = upload.signature_base64;
  run.received_at_ms = now_ms;
  run.receipt = signed_receipt_of_hash(run.run_id, sha256, format_rfc3339_ms(now_ms), collector_key_);
  // Another request may have been faster.
  if (auto known = store_.insert(run)) return answer_known(run.run_id, sha256, std::move(*known));
  IngestOutcome outcome;
  outcome.run_id = std::move(run.run_id);
  outcome.status = IngestStatus::created;
  outcome.receipt = std::move(run.receipt);
  outcome.detail = run.quarantine_reason.value_or("");
  return outcome;
}

DeletionOutcome Ingest::retract(const Deletion& deletion) {
  using Status = DeletionOutcome::Status;
  const auto key = public_key_from_base64(deletion.key_base64.value_or(""));
  const auto signature = signature_from_base64(deletion.signature_base64.value_or(""));
  if (!key || !signature) return {Status::unsigned_request, {}, std::string(kSignatureHeaders)};
  if (!verify_signature(*key, deletion_signing_message(deletion.run_id), *signature))
    return {Status::bad_signature, {}, "the signature is not of this deletion by this key"};
  switch (store_.retract(deletion.run_id, *deletion.key_base64, now_ms_())) {
    case RetractOutcome::unknown: return {Status::unknown, {}, "no run is stored under this run_id"};
    case RetractOutcome::other_key: return {Status::other_key, {}, "another key signed this run"};
    case RetractOutcome::retracted: break;
  }
  const auto known = store_.find(deletion.run_id);  // says since when, also when it was taken back before
  const std::int64_t since_ms = known ? known->retracted_at_ms.value_or(0) : 0;
  return {Status::deleted, signed_tombstone(deletion.run_id, format_rfc3339_ms(since_ms), collector_key_), {}};
}

}  // namespace gpuassay
