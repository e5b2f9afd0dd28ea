#include "agent/backends/cuda_tensor.h"

#include <algorithm>

namespace gpuassay {

std::size_t storage_bytes(kernels::ElementFormat format, std::int64_t count) {
  constexpr std::int64_t kBitsPerByte = 8;
  return static_cast<std::size_t>((count * kernels::bits_of(format) + kBitsPerByte - 1) / kBitsPerByte);
}

CudaTensor filled_tensor(CudaContext& context, kernels::ElementFormat format, std::int64_t count) {
  // An e2m1 tensor is filled in whole bytes.
  const std::int64_t filled = format == kernels::ElementFormat::e2m1 ? (count + 1) / 2 * 2 : count;
  CudaTensor tensor{context.allocate(storage_bytes(format, filled)), format, context.next_seed()};
  context.fill(tensor.buffer, format, tensor.seed, filled);
  return tensor;
}

unsigned output_bytes(OutputFormat format) {
  switch (format) {
    case OutputFormat::fp64: return 8;
    case OutputFormat::fp32:
    case OutputFormat::int32: return 4;
    case OutputFormat::fp16:
    case OutputFormat::bf16: return 2;
  }
  return 0;
}

double output_value(OutputFormat format, std::uint64_t bits) {
  using kernels::ElementFormat;
  switch (format) {
    case OutputFormat::fp64: return kernels::value_of(ElementFormat::fp64, bits);
    case OutputFormat::fp32: return kernels::value_of(ElementFormat::fp32, bits);
    case OutputFormat::fp16: return kernels::value_of(ElementFormat::fp16, bits);
    case OutputFormat::bf16: return kernels::value_of(ElementFormat::bf16, bits);
    case OutputFormat::int32: return static_cast<double>(static_cast<std::int32_t>(static_cast<std::uint32_t>(bits)));
  }
  return 0;
}

}  // namespace gpuassay
