// Which copies between GPUs are measured? Pure.
#pragma once

#include <vector>

#include "core/model.h"

namespace gpuassay {

/// The matrix of all pairs of `devices` that are CUDA devices, by copy engine and by kernel: writes, reads, and both
/// ways at once. From five devices on, where pairs are many and a document must stay readable, writes and both ways by
/// engine and reads by kernel. None in quick.
std::vector<Case> peer_cases(const std::vector<Device>& devices, Profile profile);

}  // namespace gpuassay
