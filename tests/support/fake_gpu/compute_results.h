// What do the arithmetic kernels write? The recurrences of kernels/fma_recurrence.h and the tiles of
// kernels/mma_tile.h, worked out for the results that are looked at.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "kernels/mma_tile.h"
#include "tests/support/fake_gpu/device.h"
#include "tests/support/fake_gpu/recipe.h"

namespace gpuassay::fake {

enum class FmaKind { fp32, fp64, fp16, bf16, int8 };

/// Result of each thread of gpuassay_fma_*.
std::shared_ptr<const ElementRecipe> fma_results(FmaKind kind, std::uint64_t seed, std::uint32_t iterations);

/// Results of each warp of gpuassay_mma_*.
std::shared_ptr<const ElementRecipe> mma_results(const kernels::MmaShape& shape, std::uint64_t seed,
                                                 std::uint32_t iterations);

/// Shape and speed of "gpuassay_mma_..." in an image for `target`; empty when there is no such kernel.
struct MmaKernel {
  kernels::MmaShape shape;
  Precision precision;
};
std::optional<MmaKernel> mma_kernel(std::string_view name, int target);

}  // namespace gpuassay::fake
