// The loop behind fma_kernels.h, generic over a vector type V. Included only by the files that are compiled for one
// instruction set each, and free of the standard library's inline functions: see stream_kernels_impl.h.
// V has: Register, kWidth (elements), load, store, broadcast, step(x, offset).
#pragma once

#include <immintrin.h>

#include "agent/backends/fma_kernels.h"

namespace gpuassay {
namespace {  // one copy per including file, never merged by the linker

template <class V>
void run_fma_chains(float* lanes, std::int64_t steps) {
  const typename V::Register offset = V::broadcast(kFmaOffset);
  typename V::Register chains[kFmaChains];
  for (std::size_t j = 0; j < kFmaChains; ++j) chains[j] = V::load(lanes + j * V::kWidth);
  for (std::int64_t i = 0; i < steps; ++i) {
    for (std::size_t j = 0; j < kFmaChains; ++j) chains[j] = V::step(chains[j], offset);
  }
  for (std::size_t j = 0; j < kFmaChains; ++j) V::store(lanes + j * V::kWidth, chains[j]);
}

}  // namespace
}  // namespace gpuassay
