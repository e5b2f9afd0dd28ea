// How are operands made on the device? Filled by a rule that the host knows, in as many copies as the caches demand.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/backends/cuda_context.h"
#include "agent/workloads/generated_tensor.h"

namespace gpuassay {

/// Bytes of `count` elements; e2m1 packs two into one.
std::size_t storage_bytes(kernels::ElementFormat format, std::int64_t count);

/// A filled tensor in device memory.
struct CudaTensor {
  DeviceBuffer buffer;
  kernels::ElementFormat format = kernels::ElementFormat::fp32;
  std::uint64_t seed = 0;

  /// The same numbers as the host computes them, in the given layout.
  [[nodiscard]] GeneratedTensor generated(const InnerLayout& layout) const { return {format, seed, layout}; }
};

/// Allocates and queues the filling of `count` elements with numbers no other tensor has.
CudaTensor filled_tensor(CudaContext& context, kernels::ElementFormat format, std::int64_t count);

/// Value of an output element given its bits; outputs are fp64, fp32, fp16, bf16 or int32.
enum class OutputFormat { fp64, fp32, fp16, bf16, int32 };
unsigned output_bytes(OutputFormat format);
double output_value(OutputFormat format, std::uint64_t bits);

}  // namespace gpuassay
