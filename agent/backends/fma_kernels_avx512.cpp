// Multiply-add chains for AVX-512F; see fma_kernels_impl.h.
#include "agent/backends/fma_kernels_impl.h"

namespace gpuassay {
namespace {

struct Floats512 {
  using Register = __m512;
  static constexpr std::size_t kWidth = 16;
  static Register load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Register value) { _mm512_storeu_ps(to, value); }
  static Register broadcast(float value) { return _mm512_set1_ps(value); }
  static Register step(Register x, Register offset) { return _mm512_fmadd_ps(x, x, offset); }
};

}  // namespace

void avx512_fma_kernel(float* lanes, std::int64_t steps) { run_fma_chains<Floats512>(lanes, steps); }

}  // namespace gpuassay
