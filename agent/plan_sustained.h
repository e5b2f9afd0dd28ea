// Which cases are run again under load without a pause, until the device has settled? Pure.
#pragma once

#include <optional>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Of every device the first square GEMM, convolution (GPUs alone) and triad of `cases`, in Regime::sustained: the
/// headlines, optional cases. None of them in quick, and none where so many GPUs share the time that none could settle.
/// With `soak_s` the GEMM of every device for as long as that at most, in any profile.
std::vector<Case> sustained_cases(const std::vector<Case>& cases, const std::vector<Device>& devices, Profile profile,
                                  const std::optional<double>& soak_s);

}  // namespace gpuassay
