// What do the pieces of a verified run's step cost on this GPU? Measured in some tenths of a second before the
// collector is asked for anything.
#pragma once

#include "agent/floor/cuda_floor_product.h"
#include "agent/floor/floor_shape_choice.h"

namespace gpuassay {

/// In the dtype of `work`, whose shape is not looked at. Throws Error.
FloorCosts measure_cuda_floor_costs(CudaContext& context, const CudaSelection& selection, CudaFloorLibraries& libraries,
                                    const FloorWork& work);
/// `devices` work at the same time. Call it when nothing but the libraries has memory.
FloorBounds cuda_floor_bounds(const CudaContext& context, DType dtype, std::size_t devices);

}  // namespace gpuassay
