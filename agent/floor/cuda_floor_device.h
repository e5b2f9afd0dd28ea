// A GPU in a verified run: operands are made and results hashed where they are, and 32 bytes of each step leave it.
// No real GPU has run this; what CI runs it on is the fake driver.
#pragma once

#include <cstddef>
#include <memory>

#include "agent/backends/cuda_backend.h"
#include "agent/floor/floor_device.h"

namespace gpuassay {

/// Opens driver and libraries and runs one step, so that all code is loaded. Call it in a process of its own. Throws
/// Error{unsupported} for a dtype that this GPU or its libraries do not multiply exactly, Error{library_missing,
/// library_failed, out_of_memory}.
std::unique_ptr<FloorDevice> make_cuda_floor_device(const CudaSelection& selection, const FloorWork& work);

/// The same with the shape that choose_floor_shape() finds for what it measures of the device, not that of `work`.
/// `devices` will work at the same time.
std::unique_ptr<FloorDevice> make_measured_cuda_floor_device(const CudaSelection& selection, const FloorWork& work,
                                                             std::size_t devices);

}  // namespace gpuassay
