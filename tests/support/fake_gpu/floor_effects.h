// What do the kernels of verified runs (kernels/floor.cu) do to memory, and how long do they take?
#pragma once

#include <string>

#include "tests/support/fake_gpu/kernel_effects.h"

namespace gpuassay::fake {

/// kernels::kFloorFill, kFloorTiles or kFloorNodes.
bool is_floor_kernel(const std::string& name);
/// The operation of launching one of them; its kind is "floor".
Operation floor_operation(Machine& machine, const std::string& name, const Launch& launch);

}  // namespace gpuassay::fake
