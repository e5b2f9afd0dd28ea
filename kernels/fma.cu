// How many multiply-adds per second do the general units do, in binary32 and binary64? See fma_recurrence.h.
#include "kernels/fma_loop.h"

namespace gpuassay::kernels {

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_fma_fp32(
    ComputeArguments arguments) {
  run_chains<float, 64>(
      arguments, [&](UInt64 thread, UInt32 chain) { return fma_start(arguments.seed, thread, chain, 0); },
      [](float x) { return __builtin_fmaf(x, x, kFmaConstant); }, [](float x) { return UInt64{bits_of_float(x)}; });
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_fma_fp64(
    ComputeArguments arguments) {
  run_chains<double, 8>(
      arguments,
      [&](UInt64 thread, UInt32 chain) { return static_cast<double>(fma_start(arguments.seed, thread, chain, 0)); },
      [](double x) { return __builtin_fma(x, x, static_cast<double>(kFmaConstant)); },
      [](double x) { return bits_of_double(x); });
}

}  // namespace gpuassay::kernels
