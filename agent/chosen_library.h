// Which copy of a library was chosen for a device? Reads `libraries[]` of an inventory or a result. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// The entry called `name` that is chosen for this CUDA device; null when none is. `chosen_for` names the compute
/// capability where a machine has devices of several.
const Library* chosen_library(const std::vector<Library>& libraries, std::string_view name, const Device& device);

}  // namespace gpuassay
