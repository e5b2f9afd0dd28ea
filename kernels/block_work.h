// How do the blocks of a grid share an array, and how is a block's sum written? Device code only.
#pragma once

#include "kernels/device.h"

namespace gpuassay::kernels {

/// Hands an array of 16-byte vectors to the block, a tile of kTileBytes per turn: tiles first_tile, first_tile +
/// tile_step, ... Each thread gets body(first, valid): its vectors are first, first + kBlockThreads, ..., of which
/// `valid` exist (at most 4; always 4, and known when compiling, but in the last tile).
template <class Body>
__attribute__((device)) inline void for_each_tile(UInt64 vectors, UInt64 first_tile, UInt64 tile_step, Body body) {
  constexpr UInt64 kTile = kTileBytes / 16;
  for (UInt64 begin = first_tile * kTile; begin < vectors; begin += tile_step * kTile) {
    const UInt64 first = begin + thread_in_block();
    if (begin + kTile <= vectors) {
      body(first, 4U);
    } else if (first < vectors) {
      body(first, static_cast<UInt32>((vectors - first + kBlockThreads - 1) / kBlockThreads));
    }
  }
}

/// Adds up `value` over the block of kBlockThreads; thread 0 writes the sum to sums[block].
__attribute__((device)) inline void write_block_sum(DeviceAddress sums, UInt64 value) {
  __attribute__((shared)) static UInt64 partial[kBlockThreads];
  const UInt32 thread = thread_in_block();
  partial[thread] = value;
  for (UInt32 half = kBlockThreads / 2; half > 0; half /= 2) {
    block_barrier();
    if (thread < half) partial[thread] += partial[thread + half];
  }
  if (thread == 0) global_pointer<UInt64>(sums)[block_in_grid()] = partial[0];
}

}  // namespace gpuassay::kernels
