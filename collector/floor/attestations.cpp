#include "collector/floor/attestations.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "collector/floor/trust.h"
#include "core/error.h"
#include "core/floor/attestation.h"
#include "core/signature.h"

namespace gpuassay {
namespace {

AttestationOutcome refused_attestation(std::string reason) {
  return {AttestationState::refused, std::move(reason), {}};
}

AttestationOutcome outcome_of(const AttestationVerdict& verdict, const Device* device) {
  if (!verdict.device) return refused_attestation(verdict.problem);
  const std::string& chip = verdict.device->chip;
  const std::string_view capability = capability_of_chip(chip);
  if (capability.empty())
    return refused_attestation(fmt::format("the certificates are of a chip '{}', which is no GPU known here", chip));
  if (device == nullptr || device->compute_capability != capability)
    return refused_attestation(fmt::format(
        "the certificates are of a chip {}, which no device of the run's compute capability is made of", chip));
  return {AttestationState::verified, {}, chip};
}

}  // namespace

std::optional<std::string> attestations_problem(const OpenChallenge& challenge,
                                                const std::vector<FloorAttestation>& attestations) {
  for (const FloorAttestation& attestation : attestations) {
    const bool was_asked = std::any_of(challenge.work.begin(), challenge.work.end(),
                                       [&](const FloorWork& work) { return work.device == attestation.device; });
    if (!was_asked) return fmt::format("device {} is not one of the challenge", attestation.device);
  }
  return std::nullopt;
}

std::vector<ExaminedAttestation> examine_attestations(const AttestationRoots& roots, const OpenChallenge& challenge,
                                                      const std::vector<FloorAttestation>& attestations,
                                                      std::int64_t now_ms) {
  const auto key = public_key_from_base64(challenge.key_base64);
  if (!key) throw Error(ErrorCode::internal, "an open challenge has an unreadable key");
  std::vector<ExaminedAttestation> examined;
  examined.reserve(attestations.size());
  for (const FloorAttestation& sent : attestations) {
    const Digest nonce = attestation_nonce(challenge.id, challenge.seed, *key, challenge.commitment_text, sent.device);
    examined.push_back({sent.device, verify_attestation(roots, sent.report, sent.certificates, nonce, now_ms),
                        sha256_hex(sent.report + sent.certificates)});
  }
  return examined;
}

void judge_attestations(const std::vector<ExaminedAttestation>& attestations, const Result& result,
                        std::vector<FloorProof>& proofs) {
  std::map<Digest, int> devices;  // of the run, by what certifies them
  for (const ExaminedAttestation& examined : attestations)
    if (examined.verdict.device) ++devices[examined.verdict.device->identity];
  for (const ExaminedAttestation& examined : attestations) {
    const auto proof = std::find_if(proofs.begin(), proofs.end(), [&](const FloorProof& candidate) {
      return candidate.outcome.device == examined.device;
    });
    if (proof == proofs.end()) continue;
    const auto& certified = examined.verdict.device;
    const bool is_shared = certified && devices[certified->identity] > 1;
    proof->evidence_sha256 = examined.evidence_sha256;
    proof->outcome.attestation = is_shared ? refused_attestation("another device of the run is the same GPU")
                                           : outcome_of(examined.verdict, device_of(result, examined.device));
  }
}

}  // namespace gpuassay
