// A CPU in a verified run: oneDNN multiplies, our own threads make operands and hash results.
#pragma once

#include <memory>

#include "agent/floor/floor_device.h"
#include "core/model.h"

namespace gpuassay {

/// What a CPU does in one step: 0.1 s on two cores, of which 4 % goes into making and hashing
/// (docs/measured/verified_run.md).
inline constexpr FloorShape kCpuFloorShape{1'024, 1'024, 8'192, 15};

/// Opens oneDNN and runs one step of zeros, so that its code is made. Call it in a process of its own. Throws
/// Error{unsupported} for a dtype that this CPU does not multiply exactly, Error{library_missing, library_failed,
/// out_of_memory}.
std::unique_ptr<FloorDevice> make_cpu_floor_device(const CpuFacts& facts, const FloorWork& work);

}  // namespace gpuassay
