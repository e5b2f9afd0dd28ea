// The inner loop of the CPU's arithmetic alone, from registers, one version per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gpuassay {

/// Each of the kernel's lanes does x = x * x + kFmaOffset `steps` times, one multiply-add each, from `lanes` on, where
/// the results are left. The map is chaotic and stays within -2 to 2: every step shows in the result, and no value
/// settles.
using FmaKernel = void (*)(float* lanes, std::int64_t steps);
inline constexpr float kFmaOffset = -1.9F;

/// Chains in flight: a multiply-add takes four cycles and two start per cycle.
inline constexpr std::size_t kFmaChains = 8;
inline constexpr std::size_t kMostFmaLanes = kFmaChains * 16;

void avx512_fma_kernel(float* lanes, std::int64_t steps);
void avx2_fma_kernel(float* lanes, std::int64_t steps);
void sse2_fma_kernel(float* lanes, std::int64_t steps);

/// A kernel with the name of its instruction set. Without `fused` the product is rounded before the addition.
struct NamedFmaKernel {
  FmaKernel run;
  const char* name;
  std::size_t lanes;
  bool fused;
};

/// The widest version this CPU and operating system support.
NamedFmaKernel select_fma_kernel();

}  // namespace gpuassay
