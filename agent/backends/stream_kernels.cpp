#include "agent/backends/stream_kernels.h"

#include "agent/backends/instruction_set.h"

namespace gpuassay {

NamedStreamKernel select_stream_kernel(BandwidthKernel kernel, Stores stores) {
  const bool streaming = stores == Stores::streaming;
  switch (widest_instruction_set()) {
    case InstructionSet::avx512:
      return {avx512_stream_kernel(kernel, stores), streaming ? "avx512 streaming stores" : "avx512"};
    case InstructionSet::avx2:
      return {avx2_stream_kernel(kernel, stores), streaming ? "avx2 streaming stores" : "avx2"};
    case InstructionSet::sse2: break;
  }
  return {sse2_stream_kernel(kernel, stores), streaming ? "sse2 streaming stores" : "sse2"};
}

}  // namespace gpuassay
