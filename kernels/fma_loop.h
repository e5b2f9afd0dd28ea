// What do all multiply-add kernels share? The chains, the unrolled steps and the sum that is written. Device code only.
#pragma once

#include "kernels/device.h"
#include "kernels/fma_recurrence.h"

namespace gpuassay::kernels {

/// kUnrolled divides kFmaSteps: how many of them one turn of the loop holds. Fewer make smaller images where the unit
/// is slower than the instruction issue. start(thread, chain) gives a chain's first register, step(x) the next one,
/// bits(x) what is added to the result.
template <class Register, UInt32 kUnrolled, class Start, class Step, class Bits>
__attribute__((device)) inline void run_chains(const ComputeArguments& arguments, Start start, Step step, Bits bits) {
  const UInt64 thread = thread_in_grid();
  Register x[kFmaChains];
#pragma unroll
  for (UInt32 chain = 0; chain < kFmaChains; ++chain) x[chain] = start(thread, chain);
#pragma unroll 1
  for (UInt64 turn = UInt64{arguments.iterations} * (kFmaSteps / kUnrolled); turn > 0; --turn) {
#pragma unroll
    for (UInt32 i = 0; i < kUnrolled; ++i) {
#pragma unroll
      for (UInt32 chain = 0; chain < kFmaChains; ++chain) x[chain] = step(x[chain]);
    }
  }
  UInt64 sum = 0;
#pragma unroll
  for (UInt32 chain = 0; chain < kFmaChains; ++chain) sum += bits(x[chain]);
  global_pointer<UInt64>(arguments.results)[thread] = sum;
}

/// Both halves of a packed register from a chain's two starts. Not inlined, for the sake of small images.
template <NarrowFormat kFormat>
__attribute__((device, noinline)) UInt32 packed_start(UInt64 seed, UInt64 thread, UInt32 chain) {
  return narrow_from_float(kFormat, fma_start(seed, thread, chain, 0)) |
         narrow_from_float(kFormat, fma_start(seed, thread, chain, 1)) << 16;
}

}  // namespace gpuassay::kernels
