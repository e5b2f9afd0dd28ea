#include "agent/workloads/compute_reference.h"

#include <array>
#include <cmath>

#include "kernels/fma_recurrence.h"

namespace gpuassay {
namespace {

using kernels::ElementFormat;
using kernels::MmaShape;

constexpr int kAnyLater = 9999;

constexpr std::array kKernels{
    ComputeKernel{DType::fp32, ComputeUnit::fma, "gpuassay_fma_fp32", "base", 0, kAnyLater, nullptr},
    ComputeKernel{DType::fp64, ComputeUnit::fma, "gpuassay_fma_fp64", "base", 0, kAnyLater, nullptr},
    ComputeKernel{DType::fp16_acc16, ComputeUnit::fma, "gpuassay_fma_fp16", "sm60", 60, kAnyLater, nullptr},
    ComputeKernel{DType::int8, ComputeUnit::fma, "gpuassay_fma_int8", "sm61", 61, kAnyLater, nullptr},
    ComputeKernel{DType::bf16, ComputeUnit::fma, "gpuassay_fma_bf16", "sm80", 80, kAnyLater, nullptr},
    ComputeKernel{DType::fp16, ComputeUnit::mma, "gpuassay_mma_fp16", "sm70", 70, 72, &kernels::kMmaSm70Fp16},
    ComputeKernel{DType::fp16_acc16, ComputeUnit::mma, "gpuassay_mma_fp16_acc16", "sm70", 70, 72,
                  &kernels::kMmaSm70Fp16Acc16},
    ComputeKernel{DType::fp16, ComputeUnit::mma, "gpuassay_mma_fp16", "sm75", 75, 75, &kernels::kMmaSm75Fp16},
    ComputeKernel{DType::fp16_acc16, ComputeUnit::mma, "gpuassay_mma_fp16_acc16", "sm75", 75, 75,
                  &kernels::kMmaSm75Fp16Acc16},
    ComputeKernel{DType::int8, ComputeUnit::mma, "gpuassay_mma_int8", "sm75", 75, 75, &kernels::kMmaSm75Int8},
    ComputeKernel{DType::fp16, ComputeUnit::mma, "gpuassay_mma_fp16", "sm80", 80, kAnyLater, &kernels::kMmaSm80Fp16},
    ComputeKernel{DType::fp16_acc16, ComputeUnit::mma, "gpuassay_mma_fp16_acc16", "sm80", 80, kAnyLater,
                  &kernels::kMmaSm80Fp16Acc16},
    ComputeKernel{DType::bf16, ComputeUnit::mma, "gpuassay_mma_bf16", "sm80", 80, kAnyLater, &kernels::kMmaSm80Bf16},
    ComputeKernel{DType::tf32, ComputeUnit::mma, "gpuassay_mma_tf32", "sm80", 80, kAnyLater, &kernels::kMmaSm80Tf32},
    ComputeKernel{DType::int8, ComputeUnit::mma, "gpuassay_mma_int8", "sm80", 80, kAnyLater, &kernels::kMmaSm80Int8},
    ComputeKernel{DType::fp64, ComputeUnit::mma, "gpuassay_mma_fp64", "sm80", 80, 89, &kernels::kMmaSm80Fp64},
    ComputeKernel{DType::fp64, ComputeUnit::mma, "gpuassay_mma_fp64", "sm90", 90, kAnyLater, &kernels::kMmaSm90Fp64},
    ComputeKernel{DType::fp8_e4m3, ComputeUnit::mma, "gpuassay_mma_fp8_e4m3", "sm89", 89, kAnyLater,
                  &kernels::kMmaSm89Fp8}};

/// The last register of a chain after `steps` steps.
std::uint32_t last_fp32(float x, std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) x = std::fma(x, x, kernels::kFmaConstant);
  return kernels::bits_of_float(x);
}

std::uint64_t last_fp64(double x, std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) x = std::fma(x, x, static_cast<double>(kernels::kFmaConstant));
  return kernels::bits_of_double(x);
}

/// One rounding to `format` per step: x * x + c is exact in binary64 wherever its rounding could depend on it, as the
/// square of an 11-bit significand has 22 bits and a square below 2^-50 cannot move c.
std::uint32_t last_narrow(const kernels::NarrowFormat& format, float start, std::uint64_t steps) {
  std::uint32_t code = kernels::narrow_from_float(format, start);
  for (std::uint64_t i = 0; i < steps; ++i) {
    const double x = kernels::narrow_value(format, code);
    code = kernels::narrow_from_double(format, std::fma(x, x, static_cast<double>(kernels::kFmaConstant)));
  }
  return code;
}

std::uint32_t last_int8(std::uint32_t x, std::uint32_t factor, std::uint64_t steps) {
  const auto byte = [](std::uint32_t word, unsigned i) {
    return static_cast<std::int32_t>(static_cast<std::int8_t>(word >> (8 * i)));
  };
  for (std::uint64_t i = 0; i < steps; ++i) {
    std::int32_t sum = 0;
    for (unsigned j = 0; j < 4; ++j) sum += byte(x, j) * byte(factor, j);
    x += static_cast<std::uint32_t>(sum);
  }
  return x;
}

std::uint64_t expected_chain(DType dtype, std::uint64_t seed, std::uint64_t thread, std::uint32_t chain,
                             std::uint64_t steps) {
  const auto start = [&](std::uint32_t lane) { return kernels::fma_start(seed, thread, chain, lane); };
  const auto packed = [&](const kernels::NarrowFormat& format) {
    return last_narrow(format, start(0), steps) | last_narrow(format, start(1), steps) << 16;
  };
  switch (dtype) {
    case DType::fp32: return last_fp32(start(0), steps);
    case DType::fp64: return last_fp64(static_cast<double>(start(0)), steps);
    case DType::bf16: return packed(kernels::kBf16);
    case DType::int8: return last_int8(kernels::dp4a_start(seed, thread, chain), kernels::dp4a_factor(seed), steps);
    default: return packed(kernels::kFp16);
  }
}

std::int64_t product_elements(const MmaShape& shape) { return std::int64_t{shape.m} * shape.n * shape.groups; }

/// Bits of an accumulator that holds `value`, zero-extended.
std::uint64_t accumulator_bits(const MmaShape& shape, std::int64_t value) {
  if (shape.accumulator == ElementFormat::int8) return static_cast<std::uint32_t>(value);
  if (shape.accumulator == ElementFormat::fp64) return kernels::bits_of_double(static_cast<double>(value));
  return kernels::mma_bits(shape.accumulator, static_cast<std::int32_t>(value));
}

std::int64_t dot_product(const MmaShape& shape, std::uint64_t seed, std::uint32_t chain,
                         const kernels::MmaPlace& place) {
  std::int64_t sum = 0;
  for (std::uint32_t k = 0; k < shape.k; ++k) {
    sum += std::int64_t{kernels::mma_a(shape, seed, {place.group, place.row, k})} *
           kernels::mma_b(shape, seed, chain, {place.group, k, place.column});
  }
  return sum;
}

std::uint64_t expected_product(const MmaShape& shape, std::uint64_t seed, std::uint32_t iterations,
                               std::int64_t index) {
  const auto element = static_cast<std::uint32_t>(index % product_elements(shape));
  const std::uint32_t per_group = shape.m * shape.n;
  const kernels::MmaPlace place{element / per_group, element % per_group / shape.n, element % shape.n};
  std::uint64_t sum = 0;
  for (std::uint32_t chain = 0; chain < kernels::kMmaChains; ++chain) {
    const std::int64_t product = dot_product(shape, seed, chain, place);
    for (std::uint32_t start = 0; start < 8; ++start) {
      const std::uint64_t times = iterations / 8 + (start < iterations % 8 ? 1 : 0);
      sum += times * accumulator_bits(shape, product + start);
    }
  }
  return sum;
}

/// Operations of one instruction of one thread.
std::int64_t operations_per_instruction(const ComputeKernel& kernel) {
  switch (kernel.dtype) {
    case DType::fp32:
    case DType::fp64: return 2;
    case DType::int8: return 8;
    default: return 4;
  }
}

}  // namespace

std::span<const ComputeKernel> compute_kernels() { return kKernels; }

const ComputeKernel* find_compute_kernel(DType dtype, ComputeUnit unit, int compute_capability) {
  for (const ComputeKernel& kernel : kKernels) {
    if (kernel.dtype == dtype && kernel.unit == unit && kernel.lowest_capability <= compute_capability &&
        compute_capability <= kernel.highest_capability) {
      return &kernel;
    }
  }
  return nullptr;
}

std::int64_t compute_operations(const ComputeKernel& kernel, std::int64_t threads, std::uint32_t iterations) {
  if (kernel.shape == nullptr) {
    return threads * iterations * kernels::kFmaChains * kernels::kFmaSteps * operations_per_instruction(kernel);
  }
  const auto per_instruction = static_cast<std::int64_t>(kernels::mma_operations(*kernel.shape));
  return threads / 32 * iterations * kernels::kMmaChains * kernels::kMmaSteps * per_instruction;
}

std::int64_t compute_result_count(const ComputeKernel& kernel, std::int64_t threads) {
  return kernel.shape == nullptr ? threads : threads / 32 * product_elements(*kernel.shape);
}

std::uint64_t compute_expected(const ComputeKernel& kernel, std::uint64_t seed, std::uint32_t iterations,
                               std::int64_t index) {
  if (kernel.shape != nullptr) return expected_product(*kernel.shape, seed, iterations, index);
  const std::uint64_t steps = std::uint64_t{iterations} * kernels::kFmaSteps;
  std::uint64_t sum = 0;
  for (std::uint32_t chain = 0; chain < kernels::kFmaChains; ++chain) {
    sum += expected_chain(kernel.dtype, seed, static_cast<std::uint64_t>(index), chain, steps);
  }
  return sum;
}

}  // namespace gpuassay
