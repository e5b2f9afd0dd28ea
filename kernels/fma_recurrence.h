// What do the multiply-add kernels compute? Recurrences that keep every operand bit moving and whose results are exact,
// so that a host can redo any thread's. Device code and agent/workloads/compute_reference.cpp both use these
// definitions.
//
// Floating point: x <- fma(x, x, c) with c = -1.96875, rounded once per step. The map x^2 + c is chaotic on [-|c|, |c|]
// and cannot leave it: x^2 + c <= c^2 + c < |c|. Constant operands would draw less power than real work does.
// Integer: x <- dp4a(x, w, x), the sum of four products of signed bytes added to x, modulo 2^32.
// Each thread has kFmaChains independent chains, enough to cover the latency of the units.
#pragma once

#include "kernels/random_normal.h"

namespace gpuassay::kernels {

inline constexpr UInt32 kFmaChains = 8;
inline constexpr UInt32 kFmaSteps = 64;  ///< per iteration and chain

/// 63/32: exact in every format.
inline constexpr float kFmaConstant = -1.96875F;

/// Number of one chain's hash: `lane` 1 is the upper half of a packed register.
constexpr UInt64 fma_chain_index(UInt64 thread, UInt32 chain, UInt32 lane) {
  return (thread * kFmaChains + chain) * 2 + lane;
}

/// First x of a chain: a multiple of 2^-8 in (-1, 1), exact in every format but bf16, for which it is rounded.
constexpr float fma_start(UInt64 seed, UInt64 thread, UInt32 chain, UInt32 lane) {
  const UInt64 bits = hash(seed, fma_chain_index(thread, chain, lane));
  const auto integer = static_cast<Int32>((bits >> 48) * 511 >> 16) - 255;
  return static_cast<float>(integer) * 0x1p-8F;
}

/// First x of an integer chain, and the factor that all chains share: four odd bytes.
constexpr UInt32 dp4a_start(UInt64 seed, UInt64 thread, UInt32 chain) {
  return static_cast<UInt32>(hash(seed, fma_chain_index(thread, chain, 0)));
}
constexpr UInt32 dp4a_factor(UInt64 seed) { return static_cast<UInt32>(hash(~seed, 0)) | 0x01010101U; }

/// Operations per thread and iteration: a multiply-add counts 2, so a packed one 4 and dp4a 8.
constexpr UInt64 fma_operations(UInt32 operations_per_instruction) {
  return UInt64{kFmaChains} * kFmaSteps * operations_per_instruction;
}

// results[thread in grid] = sum over chains of the final register's bits, zero-extended, modulo 2^64.

}  // namespace gpuassay::kernels
