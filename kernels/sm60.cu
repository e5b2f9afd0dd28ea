// How many multiply-adds per second in packed binary16 (compute capability 6.0 and up)? See fma_recurrence.h.
#include "kernels/fma_loop.h"

namespace gpuassay::kernels {

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_fma_fp16(
    ComputeArguments arguments) {
  constexpr UInt32 kConstant = fp16_bits(kFmaConstant) | fp16_bits(kFmaConstant) << 16;
  run_chains<UInt32, 32>(
      arguments, [&](UInt64 thread, UInt32 chain) { return packed_start<kFp16>(arguments.seed, thread, chain); },
      [](UInt32 x) { return fma_fp16x2(x, x, kConstant); }, [](UInt32 x) { return UInt64{x}; });
}

}  // namespace gpuassay::kernels
