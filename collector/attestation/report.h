// What does a GPU's attestation report say, and which of its bytes are signed? NVML's report is an SPDM 1.1 request for
// measurements followed by the device's answer (DMTF DSP0274, sections 10.11 and 10.12). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/merkle.h"

namespace gpuassay {

/// NVML's own buffer has 8 KiB.
inline constexpr std::size_t kMostReportBytes = 16'384;
/// r and s of ECDSA on P-384, 48 bytes each, the most significant first.
inline constexpr std::size_t kReportSignatureBytes = 96;

/// The views are into the text that was parsed.
struct AttestationReport {
  Digest nonce{};                 ///< of the request: what whoever asked had chosen
  std::size_t measurements = 0;   ///< blocks; their values are not looked at
  std::string_view signed_bytes;  ///< request and answer up to the signature
  std::string_view signature;
};

struct ParsedReport {
  std::optional<AttestationReport> report;
  std::string problem;  ///< without a report: why, one line
};

/// Takes anything. A report has exactly the length that its parts say.
ParsedReport parse_attestation_report(std::string_view bytes);

}  // namespace gpuassay
