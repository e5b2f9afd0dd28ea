// Which speed does a result claim that a verified run can speak about? Pure.
#pragma once

#include <optional>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// One headline figure for GEMM of one device.
struct FloorClaim {
  int device = 0;
  DType dtype = DType::fp32;
  Regime regime = Regime::burst;
  double tflop_per_s = 0;
};

/// All headline figures for GEMM in dtypes that add exactly, by device, dtype and regime.
std::vector<FloorClaim> floor_claims(const Result& result);

/// In which dtype the device should work: of those that the score is made of, the one with the highest claim. Empty
/// when it claims none.
std::optional<DType> dtype_to_verify(const Result& result, int device);

}  // namespace gpuassay
