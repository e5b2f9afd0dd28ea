// The loops behind stream_kernels.h, generic over a vector type V. Included only by the files that are compiled for
// one instruction set each; it must not use inline functions of the standard library, because the linker would
// keep one copy of those, possibly with instructions the CPU lacks.
// V has: Register, kWidth (elements), load, store, stream, broadcast, add, mul, zero, sum(Register).
#pragma once

#include <immintrin.h>

#include "agent/backends/stream_kernels.h"

namespace gpuassay {
namespace {  // one copy per including file, never merged by the linker

/// Independent vectors in flight: enough to keep two loads per cycle busy.
constexpr std::size_t kUnroll = 4;
/// Additions take four cycles and two start per cycle.
constexpr std::size_t kAccumulators = 8;

template <class V, Stores kStores>
inline void put(double* target, typename V::Register value) {
  if constexpr (kStores == Stores::streaming) {
    V::stream(target, value);
  } else {
    V::store(target, value);
  }
}

/// target[i] = compute(i) over the slice, kUnroll vectors at a time.
template <class V, Stores kStores, class Compute>
inline void for_each_vector(double* target, std::size_t count, Compute compute) {
  constexpr std::size_t kStep = kUnroll * V::kWidth;
  std::size_t i = 0;
  for (; i + kStep <= count; i += kStep) {
    put<V, kStores>(target + i, compute(i));
    put<V, kStores>(target + i + V::kWidth, compute(i + V::kWidth));
    put<V, kStores>(target + i + 2 * V::kWidth, compute(i + 2 * V::kWidth));
    put<V, kStores>(target + i + 3 * V::kWidth, compute(i + 3 * V::kWidth));
  }
  for (; i < count; i += V::kWidth) put<V, kStores>(target + i, compute(i));
  if constexpr (kStores == Stores::streaming) _mm_sfence();
}

template <class V, Stores kStores>
double run_copy(const StreamSlice& slice, double) {
  const double* a = slice.a;
  for_each_vector<V, kStores>(slice.c, slice.count, [a](std::size_t i) { return V::load(a + i); });
  return 0;
}

template <class V, Stores kStores>
double run_mul(const StreamSlice& slice, double scalar) {
  const double* c = slice.c;
  const auto factor = V::broadcast(scalar);
  for_each_vector<V, kStores>(slice.b, slice.count,
                              [c, factor](std::size_t i) { return V::mul(factor, V::load(c + i)); });
  return 0;
}

template <class V, Stores kStores>
double run_add(const StreamSlice& slice, double) {
  const double *a = slice.a, *b = slice.b;
  for_each_vector<V, kStores>(slice.c, slice.count,
                              [a, b](std::size_t i) { return V::add(V::load(a + i), V::load(b + i)); });
  return 0;
}

template <class V, Stores kStores>
double run_triad(const StreamSlice& slice, double scalar) {
  const double *b = slice.b, *c = slice.c;
  const auto factor = V::broadcast(scalar);
  for_each_vector<V, kStores>(slice.a, slice.count, [b, c, factor](std::size_t i) {
    return V::add(V::load(b + i), V::mul(factor, V::load(c + i)));
  });
  return 0;
}

template <class V>
double run_read(const StreamSlice& slice, double) {
  constexpr std::size_t kStep = kAccumulators * V::kWidth;
  typename V::Register sums[kAccumulators];
  for (auto& sum : sums) sum = V::zero();
  std::size_t i = 0;
  for (; i + kStep <= slice.count; i += kStep) {
    for (std::size_t j = 0; j < kAccumulators; ++j) {
      sums[j] = V::add(sums[j], V::load(slice.a + i + j * V::kWidth));
    }
  }
  for (; i < slice.count; i += V::kWidth) sums[0] = V::add(sums[0], V::load(slice.a + i));
  for (std::size_t j = 1; j < kAccumulators; ++j) sums[0] = V::add(sums[0], sums[j]);
  return V::sum(sums[0]);
}

template <class V, Stores kStores>
StreamKernel kernel_with(BandwidthKernel kernel) {
  switch (kernel) {
    case BandwidthKernel::copy: return run_copy<V, kStores>;
    case BandwidthKernel::mul: return run_mul<V, kStores>;
    case BandwidthKernel::add: return run_add<V, kStores>;
    case BandwidthKernel::triad: return run_triad<V, kStores>;
    case BandwidthKernel::read: break;
    case BandwidthKernel::write:
    case BandwidthKernel::gather:
    case BandwidthKernel::readback:
    case BandwidthKernel::h2d:
    case BandwidthKernel::d2h:
    case BandwidthKernel::bidirectional:
    case BandwidthKernel::p2p_read:
    case BandwidthKernel::p2p_write:
    case BandwidthKernel::p2p_bidirectional: return nullptr;
  }
  return run_read<V>;
}

template <class V>
StreamKernel kernel_of(BandwidthKernel kernel, Stores stores) {
  return stores == Stores::streaming ? kernel_with<V, Stores::streaming>(kernel)
                                     : kernel_with<V, Stores::normal>(kernel);
}

}  // namespace
}  // namespace gpuassay
