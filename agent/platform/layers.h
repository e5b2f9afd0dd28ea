// What stands between this process and the machine: containers, Kubernetes, Slurm?
#pragma once

#include <string>
#include <vector>

#include "agent/platform/evidence.h"

namespace gpuassay {

bool in_kubernetes(const Evidence& evidence);

/// From the inside out: "docker", "kubernetes", "slurm"... Who rents the machine out does not follow from them.
std::vector<std::string> host_layers(const Evidence& evidence);

}  // namespace gpuassay
