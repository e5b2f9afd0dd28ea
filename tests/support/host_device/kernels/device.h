// Stands in for kernels/device.h when tests compile kernels/*.cu for the host: the same names, each thread of a block a
// thread of the host. What is checked so is what the sources compute; not that a GPU or a driver does the same.
#pragma once

#include <barrier>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "kernels/arguments.h"
#include "kernels/number_formats.h"

namespace gpuassay::kernels {

template <class T>
using Global = T;

struct Words {
  UInt64 x, y;
};
struct Doubles {
  double x, y;
};
inline Doubles operator+(Doubles a, Doubles b) { return {a.x + b.x, a.y + b.y}; }
inline Doubles operator*(double a, Doubles b) { return {a * b.x, a * b.y}; }

/// Which thread of the grid the calling thread stands for.
struct HostThread {
  UInt32 thread = 0, threads = 1, block = 0, blocks = 1;
  std::barrier<>* barrier = nullptr;
};
inline thread_local HostThread host_thread;

/// Runs `body` as a grid, one thread after the other: for kernels without a barrier.
inline void run_grid(UInt32 blocks, UInt32 threads, const std::function<void()>& body) {
  for (UInt32 block = 0; block < blocks; ++block) {
    for (UInt32 thread = 0; thread < threads; ++thread) {
      host_thread = {thread, threads, block, blocks, nullptr};
      body();
    }
  }
}

/// The same, all threads of a block at once.
inline void run_grid_together(UInt32 blocks, UInt32 threads, const std::function<void()>& body) {
  for (UInt32 block = 0; block < blocks; ++block) {
    std::barrier<> barrier(threads);
    std::vector<std::thread> pool;
    pool.reserve(threads);
    for (UInt32 thread = 0; thread < threads; ++thread) {
      pool.emplace_back([&, thread] {
        host_thread = {thread, threads, block, blocks, &barrier};
        body();
        // A thread that has returned holds nobody up, as on a device.
        barrier.arrive_and_drop();
      });
    }
    for (std::thread& each : pool) each.join();
  }
}

template <class T>
T* global_pointer(DeviceAddress address) {
  return reinterpret_cast<T*>(address);
}

inline UInt32 thread_in_block() { return host_thread.thread; }
inline UInt32 threads_per_block() { return host_thread.threads; }
inline UInt32 block_in_grid() { return host_thread.block; }
inline UInt32 blocks_in_grid() { return host_thread.blocks; }
inline UInt64 thread_in_grid() { return UInt64{block_in_grid()} * threads_per_block() + thread_in_block(); }
inline UInt64 threads_in_grid() { return UInt64{blocks_in_grid()} * threads_per_block(); }
inline void block_barrier() { host_thread.barrier->arrive_and_wait(); }

/// Two blocks per multiprocessor.
inline UInt32 multiprocessor() { return host_thread.block / 2; }

/// Clocks that advance by a fixed step per reading.
inline constexpr UInt64 kHostCyclesPerNs = 2;
inline thread_local UInt64 host_cycles = 0, host_ns = 0;
inline UInt64 sm_cycles() { return host_cycles += 500 * kHostCyclesPerNs; }
inline UInt64 global_ns() { return host_ns += 500; }

inline Words load_through_l2(const Words* from) { return *from; }

template <const NarrowFormat& kFormat>
UInt32 fma_packed(UInt32 a, UInt32 b, UInt32 c) {
  UInt32 result = 0;
  for (int shift = 0; shift < 32; shift += 16) {
    const auto value = [&](UInt32 word) { return narrow_value(kFormat, word >> shift & 0xffffU); };
    result |= narrow_from_double(kFormat, __builtin_fma(value(a), value(b), value(c))) << shift;
  }
  return result;
}
inline UInt32 fma_fp16x2(UInt32 a, UInt32 b, UInt32 c) { return fma_packed<kFp16>(a, b, c); }
inline UInt32 fma_bf16x2(UInt32 a, UInt32 b, UInt32 c) { return fma_packed<kBf16>(a, b, c); }

inline UInt32 dp4a(UInt32 a, UInt32 b, UInt32 c) {
  Int8 left[4], right[4];
  std::memcpy(left, &a, 4);
  std::memcpy(right, &b, 4);
  for (int i = 0; i < 4; ++i) c += static_cast<UInt32>(left[i] * right[i]);
  return c;
}

}  // namespace gpuassay::kernels
