// Multiply-add chains for AVX2 and FMA; see fma_kernels_impl.h.
#include "agent/backends/fma_kernels_impl.h"

namespace gpuassay {
namespace {

struct Floats256 {
  using Register = __m256;
  static constexpr std::size_t kWidth = 8;
  static Register load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Register value) { _mm256_storeu_ps(to, value); }
  static Register broadcast(float value) { return _mm256_set1_ps(value); }
  static Register step(Register x, Register offset) { return _mm256_fmadd_ps(x, x, offset); }
};

}  // namespace

void avx2_fma_kernel(float* lanes, std::int64_t steps) { run_fma_chains<Floats256>(lanes, steps); }

}  // namespace gpuassay
