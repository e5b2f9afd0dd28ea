// Which question does a device answer to show which device it is, in a verified run? Both sides work it out. Pure.
#pragma once

#include <string_view>

#include "core/floor/messages.h"
#include "core/merkle.h"
#include "core/signature.h"

namespace gpuassay {

/// The nonce of the report of one device: SHA-256 of the challenge, the contributor's key, the commitment as it was
/// sent and the device's index. A report over it was made for this challenge, after the work was committed, for this
/// key, and serves no other device of the run.
Digest attestation_nonce(std::string_view challenge_id, const FloorSeed& seed, const PublicKey& key,
                         std::string_view commitment_text, int device);

}  // namespace gpuassay
