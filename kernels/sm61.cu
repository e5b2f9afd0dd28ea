// How many multiply-adds per second in 8-bit integers, four per instruction (compute capability 6.1 and
// up)? See fma_recurrence.h.
#include "kernels/fma_loop.h"

namespace gpuassay::kernels {

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_fma_int8(
    ComputeArguments arguments) {
  const UInt32 factor = dp4a_factor(arguments.seed);
  run_chains<UInt32, 16>(
      arguments, [&](UInt64 thread, UInt32 chain) { return dp4a_start(arguments.seed, thread, chain); },
      [=](UInt32 x) { return dp4a(x, factor, x); }, [](UInt32 x) { return UInt64{x}; });
}

}  // namespace gpuassay::kernels
