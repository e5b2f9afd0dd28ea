// How fast are scattered blocks read, as an attention kernel reads a paged key-value cache?
#include "kernels/block_work.h"

namespace gpuassay::kernels {
namespace {

constexpr UInt32 kPerThread = 4;

/// Numbers of the pool blocks that hold this thread's vectors of a tile. Entries past the end are 0: loads of them are
/// not done.
struct PoolBlocks {
  UInt32 number[kPerThread];
};

__attribute__((device)) inline PoolBlocks pool_blocks(const Global<const UInt32>* table, UInt64 at, UInt64 vectors,
                                                      UInt32 vectors_log2) {
  PoolBlocks blocks{};
#pragma unroll
  for (UInt32 j = 0; j < kPerThread; ++j) {
    const UInt64 vector = at + j * kBlockThreads;
    if (vector < vectors) blocks.number[j] = table[vector >> vectors_log2];
  }
  return blocks;
}

}  // namespace

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads, kBlocksThatSuffice))) void
gpuassay_gather(GatherArguments arguments) {
  constexpr UInt64 kTile = kTileBytes / 16;
  const auto* const pool = global_pointer<const Words>(arguments.pool);
  const auto* const table = global_pointer<const UInt32>(arguments.table);
  const UInt32 vectors_log2 = arguments.block_bytes_log2 - 4;
  const UInt64 vectors = arguments.entries << vectors_log2;
  const UInt64 mask = (UInt64{1} << vectors_log2) - 1;
  const UInt64 step = blocks_in_grid() * kTile;
  UInt64 at = block_in_grid() * kTile + thread_in_block();
  UInt64 sum = 0;
  PoolBlocks blocks = pool_blocks(table, at, vectors, vectors_log2);
  while (at < vectors) {
    Words words[kPerThread] = {};
#pragma unroll
    for (UInt32 j = 0; j < kPerThread; ++j) {
      const UInt64 vector = at + j * kBlockThreads;
      if (vector < vectors) words[j] = pool[(UInt64{blocks.number[j]} << vectors_log2) + (vector & mask)];
    }
    // The next tile's table entries travel while this tile's data do.
    at += step;
    blocks = pool_blocks(table, at, vectors, vectors_log2);
#pragma unroll
    for (UInt32 j = 0; j < kPerThread; ++j) sum += words[j].x + words[j].y;
  }
  write_block_sum(arguments.block_sums, sum);
}

}  // namespace gpuassay::kernels
