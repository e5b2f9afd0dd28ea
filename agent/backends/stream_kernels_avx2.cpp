// STREAM loops for AVX2; see stream_kernels_impl.h.
#include "agent/backends/stream_kernels_impl.h"

namespace gpuassay {
namespace {

struct Vector {
  using Register = __m256d;
  static constexpr std::size_t kWidth = 4;
  static Register load(const double* from) { return _mm256_load_pd(from); }
  static void store(double* to, Register value) { _mm256_store_pd(to, value); }
  static void stream(double* to, Register value) { _mm256_stream_pd(to, value); }
  static Register broadcast(double value) { return _mm256_set1_pd(value); }
  static Register add(Register x, Register y) { return _mm256_add_pd(x, y); }
  static Register mul(Register x, Register y) { return _mm256_mul_pd(x, y); }
  static Register zero() { return _mm256_setzero_pd(); }
  static double sum(Register value) {
    alignas(64) double parts[kWidth];
    store(parts, value);
    double total = 0;
    for (const double part : parts) total += part;
    return total;
  }
};

}  // namespace

StreamKernel avx2_stream_kernel(BandwidthKernel kernel, Stores stores) { return kernel_of<Vector>(kernel, stores); }

}  // namespace gpuassay
