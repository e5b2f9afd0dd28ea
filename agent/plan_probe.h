// What does one probe of a watch measure? Pure: the randomness is an argument.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// A number from 0 to below its argument, each as likely.
using DrawBelow = std::function<std::size_t(std::size_t)>;

/// What probes may measure, sampled so that three of them take 2 s: of every device its square GEMM, its triad, and of
/// GPUs the pinned transfers each way. With an earlier run of this machine they are that run's, and the GEMM the
/// fastest that it verified on the device; else those of `planned`, whose first GEMM is in the training precision.
std::vector<Case> probe_choice(const std::vector<Case>& planned, const std::vector<Device>& devices,
                               const Result* earlier);

/// The cases of one probe: one of the devices, and of it the GEMM, the triad and one transfer, in random order.
std::vector<Case> draw_probe(const std::vector<Case>& choice, const DrawBelow& below);

/// Of `earlier` the measurement with which a probe of `planned` compares; null when it has none that is ok.
const Measurement* same_measurement(const Result& earlier, const Case& planned);

}  // namespace gpuassay
