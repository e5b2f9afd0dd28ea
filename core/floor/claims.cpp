#include "core/floor/claims.h"

#include <algorithm>
#include <array>

#include "core/enums.h"
#include "core/floor/shape.h"

namespace gpuassay {
namespace {

constexpr std::array kScoredDtypes{DType::fp32, DType::tf32, DType::fp16, DType::bf16};

}  // namespace

std::vector<FloorClaim> floor_claims(const Result& result) {
  std::vector<FloorClaim> claims;
  for (const DeviceSummary& summary : result.summary.devices) {
    for (const auto& [name, values] : summary.gemm_tflop_per_s) {
      const auto dtype = from_name<DType>(name);
      if (!summary.device || !dtype || !is_exact(*dtype)) continue;
      if (values.burst) claims.push_back({*summary.device, *dtype, Regime::burst, *values.burst});
      if (values.sustained) claims.push_back({*summary.device, *dtype, Regime::sustained, *values.sustained});
    }
  }
  return claims;
}

std::optional<DType> dtype_to_verify(const Result& result, int device) {
  std::optional<FloorClaim> highest;
  for (const FloorClaim& claim : floor_claims(result)) {
    const bool is_scored = std::find(kScoredDtypes.begin(), kScoredDtypes.end(), claim.dtype) != kScoredDtypes.end();
    if (claim.device == device && is_scored && (!highest || claim.tflop_per_s > highest->tflop_per_s)) highest = claim;
  }
  return highest ? std::optional(highest->dtype) : std::nullopt;
}

}  // namespace gpuassay
