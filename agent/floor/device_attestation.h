// What does a GPU in confidential-compute mode say of itself, signed by a key that its maker certifies? Most GPUs have
// no such mode, and most machines do not use it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agent/dynlib/library_candidates.h"
#include "core/floor/messages.h"
#include "core/merkle.h"

namespace gpuassay {

/// A device of a verified run that NVML knows.
struct AttestableDevice {
  int device = 0;
  LibraryCandidate nvml;
  std::string pci_bus_id;
};

struct DeviceAttestation {
  std::optional<FloorAttestation> said;
  std::string problem;  ///< where the device should have been able to: why it said nothing, one line
};

/// Its report over the nonce and its certificates, asked in a child process for at most `limit`. Neither where the
/// driver or the device has no such thing.
DeviceAttestation attestation_of(const AttestableDevice& device, const Digest& nonce, std::chrono::milliseconds limit);

}  // namespace gpuassay
