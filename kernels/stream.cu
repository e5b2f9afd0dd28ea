// How fast does device memory, or L2, move data? STREAM's four kernels, reading alone and writing alone.
// Each thread has four 16-byte accesses per array in flight: with 2048 threads that is 128 KiB per multiprocessor,
// where 8 TB/s and 800 ns of latency on 148 multiprocessors (B200) want 43 KiB (Little's law).
#include "kernels/block_work.h"

namespace gpuassay::kernels {
namespace {

/// to[i] = function(first[i], second[i]) on whole arrays of doubles.
template <class Function>
__attribute__((device)) inline void transform(UInt64 count, DeviceAddress to, DeviceAddress first, DeviceAddress second,
                                              Function function) {
  const auto* const from_first = global_pointer<const Doubles>(first);
  const auto* const from_second = global_pointer<const Doubles>(second);
  auto* const destination = global_pointer<Doubles>(to);
  for_each_tile(count / 2, block_in_grid(), blocks_in_grid(), [&](UInt64 at, UInt32 valid) {
    Doubles one[4];
    Doubles two[4];
    // Two loops: all loads are under way before the first store waits for its operands.
#pragma unroll
    for (UInt32 j = 0; j < 4; ++j) {
      if (j >= valid) continue;
      one[j] = from_first[at + j * kBlockThreads];
      two[j] = from_second[at + j * kBlockThreads];
    }
#pragma unroll
    for (UInt32 j = 0; j < 4; ++j) {
      if (j < valid) destination[at + j * kBlockThreads] = function(one[j], two[j]);
    }
  });
}

}  // namespace

// Where a kernel has one input, it is named twice: the second load is of the same address and the compiler drops it.
extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_stream_copy(
    StreamArguments arguments) {
  transform(arguments.count, arguments.c, arguments.a, arguments.a, [](Doubles a, Doubles) { return a; });
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_stream_mul(
    StreamArguments arguments) {
  const double scalar = arguments.scalar;
  transform(arguments.count, arguments.b, arguments.c, arguments.c, [=](Doubles c, Doubles) { return scalar * c; });
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_stream_add(
    StreamArguments arguments) {
  transform(arguments.count, arguments.c, arguments.a, arguments.b, [](Doubles a, Doubles b) { return a + b; });
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_stream_triad(
    StreamArguments arguments) {
  const double scalar = arguments.scalar;
  transform(arguments.count, arguments.a, arguments.b, arguments.c,
            [=](Doubles b, Doubles c) { return b + scalar * c; });
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads, kBlocksThatSuffice))) void gpuassay_read(
    ReadArguments arguments) {
  const auto* const source = global_pointer<const Words>(arguments.source);
  UInt64 sum = 0;
  UInt32 as_block = block_in_grid();
  UInt32 step = 0;
  for (UInt32 pass = 0; pass < arguments.passes; ++pass) {
    for_each_tile(arguments.size_bytes / 16, as_block, blocks_in_grid(), [&](UInt64 at, UInt32 valid) {
      Words words[4] = {};
#pragma unroll
      for (UInt32 j = 0; j < 4; ++j) {
        if (j < valid) words[j] = load_through_l2(source + at + j * kBlockThreads);
      }
#pragma unroll
      for (UInt32 j = 0; j < 4; ++j) sum += words[j].x + words[j].y;
    });
    // read_role() of read_reference.h step by step: a grid is far below 2^31 blocks.
    step = step + 1 == blocks_in_grid() ? 0 : step + 1;
    as_block += step;
    if (as_block >= blocks_in_grid()) as_block -= blocks_in_grid();
  }
  write_block_sum(arguments.block_sums, sum);
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_write(
    WriteArguments arguments) {
  auto* const destination = global_pointer<Words>(arguments.destination);
  for_each_tile(arguments.size_bytes / 16, block_in_grid(), blocks_in_grid(), [&](UInt64 at, UInt32 valid) {
#pragma unroll
    for (UInt32 j = 0; j < 4; ++j) {
      const UInt64 vector = at + j * kBlockThreads;
      const UInt64 word = arguments.first_word + 2 * vector;
      if (j < valid) destination[vector] = Words{word, word + 1};
    }
  });
}

}  // namespace gpuassay::kernels
