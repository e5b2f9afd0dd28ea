// What does a compute kernel of ours do, how many operations is that, and what must it have written? Every result is
// exact: a single wrong bit is a wrong result.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/model.h"
#include "kernels/mma_tile.h"

namespace gpuassay {

/// One throughput kernel (kernels/fma_recurrence.h, kernels/mma_tile.h). Launch: any number of blocks of
/// kernels::kBlockThreads threads with a kernels::ComputeArguments; `results` as result_count says.
struct ComputeKernel {
  DType dtype;
  ComputeUnit unit;
  std::string_view name;    ///< exported by the image
  std::string_view module;  ///< of agent/backends/cuda_images.h
  int lowest_capability;    ///< 10 x major + minor
  int highest_capability;
  const kernels::MmaShape* shape;  ///< of unit mma; else null
};

/// All of them.
std::span<const ComputeKernel> compute_kernels();

/// The kernel for a device; null where the device has no such units, or we no kernel for them (fp4; fp8 needs PTX 8.4).
const ComputeKernel* find_compute_kernel(DType dtype, ComputeUnit unit, int compute_capability);

/// Operations of one launch of `threads` threads in all (a multiple of 32): a multiply-add counts 2, dp4a 8.
std::int64_t compute_operations(const ComputeKernel& kernel, std::int64_t threads, std::uint32_t iterations);

/// 64-bit results such a launch writes: one per thread (fma), or one per element of each warp's product (mma).
std::int64_t compute_result_count(const ComputeKernel& kernel, std::int64_t threads);

/// Result number `index` of a launch with `seed` and `iterations`. Takes about 4 us per iteration for fma: sample few
/// indices and keep iterations moderate; mma takes the same short time for any number.
std::uint64_t compute_expected(const ComputeKernel& kernel, std::uint64_t seed, std::uint32_t iterations,
                               std::int64_t index);

}  // namespace gpuassay
