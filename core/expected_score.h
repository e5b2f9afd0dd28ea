// What does the specification of GPUs let expect of their score? Their estimates (core/estimate.h) put through the
// arithmetic of the score. Pure.
#pragma once

#include <optional>
#include <vector>

#include "core/gpu_specs.h"
#include "core/model.h"

namespace gpuassay {

/// The Assay Index of one device of this row, six significant digits. A tenth of a millisecond: keep it where
/// it is asked often. That of `n` equal ones is n times as much. Empty for whole boards and for rows that say too
/// little for an estimate.
std::optional<double> expected_index(const GpuSpec& spec);

/// The Assay Index of all devices together: their estimated samples per second added up, as those of the score are; six
/// significant digits. Empty without devices, and when any of them is a CPU, a MIG slice, a vGPU or none of the
/// table's.
std::optional<double> expected_score(const std::vector<Device>& devices);

}  // namespace gpuassay
