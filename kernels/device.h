// What does device code need that CUDA's headers would give? Those headers are not used: clang's builtins and a few
// lines of PTX do. Device code only.
#pragma once

#include "kernels/arguments.h"

namespace gpuassay::kernels {

/// Memory known to be global: accesses become ld.global and st.global, not their slower generic forms.
template <class T>
using Global = __attribute__((address_space(1))) T;

/// What one thread moves with one instruction: 16 bytes.
using Words = UInt64 __attribute__((ext_vector_type(2)));
using Doubles = double __attribute__((ext_vector_type(2)));

template <class T>
__attribute__((device)) Global<T>* global_pointer(DeviceAddress address) {
  return reinterpret_cast<Global<T>*>(address);
}

__attribute__((device)) inline UInt32 thread_in_block() { return __nvvm_read_ptx_sreg_tid_x(); }
__attribute__((device)) inline UInt32 threads_per_block() { return __nvvm_read_ptx_sreg_ntid_x(); }
__attribute__((device)) inline UInt32 block_in_grid() { return __nvvm_read_ptx_sreg_ctaid_x(); }
__attribute__((device)) inline UInt32 blocks_in_grid() { return __nvvm_read_ptx_sreg_nctaid_x(); }

__attribute__((device)) inline UInt64 thread_in_grid() {
  return UInt64{block_in_grid()} * threads_per_block() + thread_in_block();
}

__attribute__((device)) inline UInt64 threads_in_grid() { return UInt64{blocks_in_grid()} * threads_per_block(); }

/// Clock of this multiprocessor, in cycles.
__attribute__((device)) inline UInt64 sm_cycles() {
  UInt64 cycles = 0;
  asm volatile("mov.u64 %0, %%clock64;" : "=l"(cycles));
  return cycles;
}

/// The timer that all multiprocessors share, in nanoseconds.
__attribute__((device)) inline UInt64 global_ns() {
  UInt64 nanoseconds = 0;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(nanoseconds));
  return nanoseconds;
}

/// Calls body(index, whole) for each 16-byte vector of an array, kTileBytes per block and turn; `whole` tells that four
/// calls in a row are in range, as a constant of each copy of the loop. body(first, valid) loads and stores: it gets
/// the first of four vectors that lie kBlockThreads apart and how many of them exist.
template <class Body>
__attribute__((device)) inline void for_each_tile(UInt64 vectors, UInt64 first_tile, UInt64 tile_step, Body body) {
  constexpr UInt64 kTile = kTileBytes / 16;
  for (UInt64 begin = first_tile * kTile; begin < vectors; begin += tile_step * kTile) {
    const UInt64 first = begin + thread_in_block();
    if (begin + kTile <= vectors) {
      body(first, 4);
    } else if (first < vectors) {
      body(first, static_cast<UInt32>((vectors - first + kBlockThreads - 1) / kBlockThreads));
    }
  }
}

/// Adds up `value` over the block; thread 0 writes the sum to sums[block].
__attribute__((device)) inline void write_block_sum(DeviceAddress sums, UInt64 value) {
  __attribute__((shared)) static UInt64 partial[kBlockThreads];
  const UInt32 thread = thread_in_block();
  partial[thread] = value;
  for (UInt32 half = kBlockThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half) partial[thread] += partial[thread + half];
  }
  if (thread == 0) global_pointer<UInt64>(sums)[block_in_grid()] = partial[0];
}

}  // namespace gpuassay::kernels
