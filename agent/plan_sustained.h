// Which cases are run again under load without a pause, until the device has settled? Pure.
#pragma once

#include <optional>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Of every device the first square GEMM, convolution (GPUs alone) and triad of `cases`, in Regime::sustained: the
/// headlines, optional cases; none of them in quick. Several GPUs are under load at the same time, one group for each
/// headline and one for pinned transfers to the device, so that shared power, cooling, bus and host memory show; what
/// only the first of a kind ran alone, all of it run together. With `soak_s` the GEMM for as long as that at most, in
/// any profile.
std::vector<Case> sustained_cases(const std::vector<Case>& cases, const std::vector<Device>& devices, Profile profile,
                                  const std::optional<double>& soak_s);

}  // namespace gpuassay
