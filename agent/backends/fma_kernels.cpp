#include "agent/backends/fma_kernels.h"

#include "agent/backends/instruction_set.h"

namespace gpuassay {

NamedFmaKernel select_fma_kernel() {
  const InstructionSet widest = widest_instruction_set();
  if (widest == InstructionSet::avx512) return {avx512_fma_kernel, "avx512 fma", kFmaChains * 16, true};
  if (widest == InstructionSet::avx2 && can_fuse()) return {avx2_fma_kernel, "avx2 fma", kFmaChains * 8, true};
  return {sse2_fma_kernel, "sse2 mul add", kFmaChains * 4, false};
}

}  // namespace gpuassay
