// A CPU in a verified run: oneDNN multiplies, our own threads make operands and hash results.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "agent/floor/floor_device.h"
#include "core/model.h"

namespace gpuassay {

/// What a CPU does in one step: so large that making A and hashing C are small beside it
/// (docs/measured/verified_run.md), and takes 0.7 GB of memory. With less than 8 GiB on the machine, a sixteenth of it.
FloorShape cpu_floor_shape(DType dtype, std::optional<std::int64_t> memory_bytes);

/// Opens oneDNN and runs one step of zeros, so that its code is made. Call it in a process of its own. Throws
/// Error{unsupported} for a dtype that this CPU does not multiply exactly, Error{library_missing, library_failed,
/// out_of_memory}.
std::unique_ptr<FloorDevice> make_cpu_floor_device(const CpuFacts& facts, const FloorWork& work);

}  // namespace gpuassay
