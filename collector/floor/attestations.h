// What do the reports that came with a challenge show of its devices?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collector/attestation/certificates.h"
#include "collector/floor/challenge_book.h"
#include "collector/floor/proof.h"
#include "core/model.h"

namespace gpuassay {

/// Why these cannot be taken for the challenge; empty: they can. Whether they show anything is not asked yet.
std::optional<std::string> attestations_problem(const OpenChallenge& challenge,
                                                const std::vector<FloorAttestation>& attestations);

/// Looks at each: whether a root certifies the device, and the report answers this challenge's question. Some
/// milliseconds each.
std::vector<ExaminedAttestation> examine_attestations(const AttestationRoots& roots, const OpenChallenge& challenge,
                                                      const std::vector<FloorAttestation>& attestations,
                                                      std::int64_t now_ms);

/// Fills in what each shows of the run that the challenge is for: verified when it was certified, the run's device can
/// be made of the chip, and no other device of the run is the same one.
void judge_attestations(const std::vector<ExaminedAttestation>& attestations, const Result& result,
                        std::vector<FloorProof>& proofs);

}  // namespace gpuassay
