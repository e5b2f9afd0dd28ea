// How fast does device memory, or L2, move data? STREAM's four kernels, reading alone and writing alone.
// STREAM's threads move 16 bytes of each array, so that few arrays' pages are written at a time: on an H200 four such
// accesses per thread and array copied 4.04 TB/s, one 4.25 (the driver's own copy 4.23). 2048 threads have 32 KiB under
// way per array and multiprocessor, where 8 TB/s, half of them read, and 800 ns of latency on 148 multiprocessors
// (B200) want 22 KiB (Little's law). Reading alone keeps four accesses in flight: 128 KiB.
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
  const UInt64 vectors = count / 2;
  for (UInt64 at = thread_in_grid(); at < vectors; at += threads_in_grid()) {
    destination[at] = function(from_first[at], from_second[at]);
  }
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
