// What must gpuassay_read and gpuassay_gather have summed up? The same walk over tiles as the kernels', on the host.
#pragma once

#include "kernels/arguments.h"

namespace gpuassay::kernels {

/// The tiles that a block of gpuassay_read takes in pass `pass` are those of block number (block + pass * (pass + 1) /
/// 2) mod blocks. One step further in each pass than in the one before: with equal steps a block that lags by one pass
/// would read the same tiles at the same time as another, pass after pass, and hardware that joins requests of several
/// multiprocessors before L2 (compute capability 8.0 and up) would deliver more than L2 does.
constexpr UInt64 read_role(UInt32 block, UInt32 blocks, UInt64 pass) {
  // The triangular numbers repeat with twice the grid, which keeps the product small.
  const UInt64 turn = pass % (UInt64{2} * blocks);
  return (block + turn * (turn + 1) / 2) % blocks;
}

/// block_sums[block] of a launch of `blocks` blocks over `size_bytes` (a multiple of 16); word(i) is 64-bit word i of
/// the array, of gather in table order. Costs as many calls of `word` as the block read words: of a large array check a
/// few blocks only.
template <class Word>
constexpr UInt64 read_block_sum(Word word, UInt64 size_bytes, UInt32 block, UInt32 blocks, UInt32 passes) {
  constexpr UInt64 kWords = kTileBytes / 8;
  const UInt64 words = size_bytes / 8;
  UInt64 sum = 0;
  for (UInt32 pass = 0; pass < passes; ++pass) {
    const UInt64 as_block = read_role(block, blocks, pass);
    for (UInt64 begin = as_block * kWords; begin < words; begin += blocks * kWords) {
      const UInt64 end = begin + kWords < words ? begin + kWords : words;
      for (UInt64 i = begin; i < end; ++i) sum += word(i);
    }
  }
  return sum;
}

}  // namespace gpuassay::kernels
