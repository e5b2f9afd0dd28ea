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

__attribute__((device)) inline UInt32 multiprocessor() { return __nvvm_read_ptx_sreg_smid(); }

/// Waits for the whole block.
__attribute__((device)) inline void block_barrier() { __syncthreads(); }

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

/// Past L1, so that the second pass over a small array measures L2; volatile, so that no pass is left out.
__attribute__((device)) inline Words load_through_l2(const Global<Words>* from) {
  Words words;
  asm volatile("ld.global.cg.v2.u64 {%0, %1}, [%2];" : "=l"(words.x), "=l"(words.y) : "l"(from));
  return words;
}

/// a * b + c in both halves of a register, rounded once. Compute capability 5.3 and up.
__attribute__((device)) inline UInt32 fma_fp16x2(UInt32 a, UInt32 b, UInt32 c) {
  UInt32 result = 0;
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
  return result;
}

/// The same in bfloat16. Compute capability 8.0 and up.
__attribute__((device)) inline UInt32 fma_bf16x2(UInt32 a, UInt32 b, UInt32 c) {
  UInt32 result = 0;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
  return result;
}

/// The sum of four products of signed bytes, plus c. Compute capability 6.1 and up.
__attribute__((device)) inline UInt32 dp4a(UInt32 a, UInt32 b, UInt32 c) {
  UInt32 result = 0;
  asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
  return result;
}

}  // namespace gpuassay::kernels
