#include "collector/floor/proof.h"

#include "collector/run_query.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

using Access = ConnectionPool::Access;

/// False when the device has one.
bool insert(Database& database, std::string_view run_id, const FloorProof& proof) {
  Statement statement(database,
                      "INSERT INTO floor_proof (run_id, device, dtype, state, reason, steps, draws, interval_ns, "
                      "floor_tflop_per_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, device) DO NOTHING");
  const FloorOutcome& outcome = proof.outcome;
  statement.bind(1, run_id).bind(2, std::int64_t{outcome.device}).bind(3, to_name(outcome.dtype));
  statement.bind(4, to_name(outcome.state)).bind(5, outcome.reason).bind(6, std::int64_t{proof.steps});
  statement.bind(7, static_cast<std::int64_t>(proof.draws)).bind(8, proof.interval_ns);
  statement.bind(9, outcome.floor_tflop_per_s).run();
  return database.changes() == 1;
}

/// What a device said of itself, if it did.
std::optional<AttestationOutcome> read_attestation(const Statement& row) {
  const auto name = row.optional_text(8);
  if (!name) return std::nullopt;
  const auto state = from_name<AttestationState>(*name);
  if (!state)
    throw Error(ErrorCode::database, "a proof in the store has an unknown attestation; was it changed by hand?");
  return AttestationOutcome{*state, row.text(9), row.text(10)};
}

FloorProof read_proof(const Statement& row) {
  FloorProof proof;
  proof.outcome.device = static_cast<int>(row.integer(0));
  const auto dtype = from_name<DType>(row.text(1));
  const auto state = from_name<FloorState>(row.text(2));
  if (!dtype || !state)
    throw Error(ErrorCode::database, "a proof in the store has an unknown dtype or state; was it changed by hand?");
  proof.outcome.dtype = *dtype;
  proof.outcome.state = *state;
  proof.outcome.reason = row.text(3);
  proof.steps = static_cast<std::uint32_t>(row.integer(4));
  proof.draws = static_cast<std::size_t>(row.integer(5));
  proof.interval_ns = row.integer(6);
  proof.outcome.floor_tflop_per_s = row.optional_real(7);
  proof.outcome.attestation = read_attestation(row);
  proof.evidence_sha256 = row.text(11);
  proof.speed_confirmed = row.integer(12) != 0;
  return proof;
}

}  // namespace

bool FloorProofs::commit(std::string_view run_id, const std::vector<FloorProof>& proofs) {
  return pool_.use(Access::write, [&](Database& database) {
    Transaction transaction(database, TransactionKind::concurrent);
    if (!hold_run(database, run_id)) return false;  // of two that come at once, the second one finds the first
    Statement other(database, "SELECT device FROM floor_proof WHERE run_id = ?");
    other.bind(1, run_id);
    if (other.step()) return false;
    for (const FloorProof& proof : proofs)
      if (!insert(database, run_id, proof)) return false;
    transaction.commit();
    return true;
  });
}

void FloorProofs::decide(std::string_view run_id, const std::vector<FloorProof>& proofs, std::string_view trust) {
  pool_.use(Access::write, [&](Database& database) {
    Transaction transaction(database, TransactionKind::concurrent);
    for (const FloorProof& proof : proofs) {
      Statement update(database,
                       "UPDATE floor_proof SET state = ?, reason = ?, floor_tflop_per_s = ?, attestation = ?, "
                       "attestation_reason = ?, attested_chip = ?, evidence_sha256 = ?, speed_confirmed = ? "
                       "WHERE run_id = ? AND device = ?");
      const std::optional<AttestationOutcome>& said = proof.outcome.attestation;
      update.bind(1, to_name(proof.outcome.state)).bind(2, proof.outcome.reason);
      update.bind(3, proof.outcome.floor_tflop_per_s);
      update.bind(4, said ? std::optional(std::string(to_name(said->state))) : std::nullopt);
      update.bind(5, said ? said->reason : std::string()).bind(6, said ? said->chip : std::string());
      update.bind(7, proof.evidence_sha256).bind(8, std::int64_t{proof.speed_confirmed ? 1 : 0});
      update.bind(9, run_id).bind(10, std::int64_t{proof.outcome.device}).run();
    }
    Statement label(database, "UPDATE run SET trust = ? WHERE run_id = ? AND retracted_at_ms IS NULL");
    label.bind(1, trust).bind(2, run_id).run();
    transaction.commit();
  });
}

std::vector<FloorProof> FloorProofs::of_run(std::string_view run_id) const {
  return pool_.use(Access::read, [&](Database& database) {
    Statement query(database,
                    "SELECT device, dtype, state, reason, steps, draws, interval_ns, floor_tflop_per_s, attestation, "
                    "attestation_reason, attested_chip, evidence_sha256, speed_confirmed "
                    "FROM floor_proof WHERE run_id = ? ORDER BY device");
    query.bind(1, run_id);
    std::vector<FloorProof> proofs;
    while (query.step()) proofs.push_back(read_proof(query));
    return proofs;
  });
}

}  // namespace gpuassay
