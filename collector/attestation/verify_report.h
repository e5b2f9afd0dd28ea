// Did a device that its maker certifies answer this very question?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collector/attestation/certificates.h"
#include "core/merkle.h"

namespace gpuassay {

struct AttestationVerdict {
  std::optional<CertifiedDevice> device;
  std::string problem;  ///< without a device: why, one line
};

/// `report` and `certificates` are as NVML gives them, and hostile. `nonce` is what the report must answer.
AttestationVerdict verify_attestation(const AttestationRoots& roots, std::string_view report,
                                      std::string_view certificates, const Digest& nonce, std::int64_t now_ms);

/// The compute capability of the GPUs that are made of this chip; empty for a chip that is no GPU known to attest.
std::string_view capability_of_chip(std::string_view chip);

}  // namespace gpuassay
