// Multiply-add chains for SSE2, which every x86-64 CPU has; see fma_kernels_impl.h.
#include "agent/backends/fma_kernels_impl.h"

namespace gpuassay {
namespace {

struct Floats128 {
  using Register = __m128;
  static constexpr std::size_t kWidth = 4;
  static Register load(const float* from) { return _mm_loadu_ps(from); }
  static void store(float* to, Register value) { _mm_storeu_ps(to, value); }
  static Register broadcast(float value) { return _mm_set1_ps(value); }
  static Register step(Register x, Register offset) { return _mm_add_ps(_mm_mul_ps(x, x), offset); }
};

}  // namespace

void sse2_fma_kernel(float* lanes, std::int64_t steps) { run_fma_chains<Floats128>(lanes, steps); }

}  // namespace gpuassay
