// Can a machine around its devices have done what was measured of it?
#pragma once

#include <string>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// Adds "beyond_physics: ..." for a disk, a network, a host's memory or its CPUs faster than any, whichever device a
/// measurement is said to be of. Measurements of anything else are left to check_physics.
void check_host(const Measurement& measurement, std::vector<std::string>& reasons);

}  // namespace gpuassay
