#include "agent/backends/cuda_gemm_types.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace gpuassay {
namespace {

using kernels::ElementFormat;
namespace cb = cublas;

constexpr double kFp64UnitRoundoff = 0x1p-53;
constexpr double kFp16UnitRoundoff = 0x1p-11;
/// More than a real sum of doubles needs; the reference itself is one.
constexpr OutputRule kFp64Output{64 * kFp64UnitRoundoff, 0, false};
constexpr double kTensorCore = 64 * kFp32UnitRoundoff;
constexpr double kShortSum = 0x1p-11;
constexpr OutputRule kTensorCoreFp32Output{kTensorCore, 0, false};
constexpr OutputRule kTensorCoreFp16Output{kTensorCore, kFp16UnitRoundoff, false};
constexpr OutputRule kTensorCoreBf16Output{kTensorCore, kBfloat16UnitRoundoff, false};
constexpr OutputRule kFp16SumOutput{8 * kFp16UnitRoundoff, kFp16UnitRoundoff, false};
constexpr OutputRule kShortSumBf16Output{kShortSum, kBfloat16UnitRoundoff, false};

constexpr double kOne64 = 1, kZero64 = 0;
constexpr float kOne32 = 1, kZero32 = 0;
constexpr std::uint16_t kOne16 = 0x3c00, kZero16 = 0;  // as half
constexpr std::int32_t kOneInt = 1, kZeroInt = 0;

}  // namespace

CudaGemmTypes cuda_gemm_types(DType dtype) {
  switch (dtype) {
    case DType::fp64:
      return {ElementFormat::fp64, OutputFormat::fp64, cb::kR64F, cb::kR64F,
              cb::kCompute64F,     cb::kR64F,          false,     kFp64Output};
    case DType::fp32:
      return {ElementFormat::fp32, OutputFormat::fp32, cb::kR32F, cb::kR32F,
              cb::kCompute32F,     cb::kR32F,          false,     kFp32Output};
    case DType::tf32:
      return {ElementFormat::tf32,     OutputFormat::fp32, cb::kR32F, cb::kR32F,
              cb::kCompute32FFastTF32, cb::kR32F,          false,     kTensorCoreFp32Output};
    case DType::fp16:
      return {ElementFormat::fp16, OutputFormat::fp16, cb::kR16F, cb::kR16F,
              cb::kCompute32F,     cb::kR32F,          false,     kTensorCoreFp16Output};
    case DType::fp16_acc16:
      return {ElementFormat::fp16, OutputFormat::fp16, cb::kR16F, cb::kR16F,
              cb::kCompute16F,     cb::kR16F,          false,     kFp16SumOutput};
    case DType::bf16:
      return {ElementFormat::bf16, OutputFormat::bf16, cb::kR16BF, cb::kR16BF,
              cb::kCompute32F,     cb::kR32F,          false,      kTensorCoreBf16Output};
    case DType::int8:
      return {ElementFormat::int8, OutputFormat::int32, cb::kR8I, cb::kR32I,
              cb::kCompute32I,     cb::kR32I,           true,     kInt32Output};
    case DType::fp8_e4m3:
      return {ElementFormat::e4m3, OutputFormat::bf16, cb::kR8FE4M3, cb::kR16BF,
              cb::kCompute32F,     cb::kR32F,          true,         kShortSumBf16Output};
    case DType::fp4:
      return {ElementFormat::e2m1, OutputFormat::bf16, cb::kR4FE2M1, cb::kR16BF,
              cb::kCompute32F,     cb::kR32F,          true,         kShortSumBf16Output};
  }
  return {};
}

OutputRule cuda_rule_for_terms(DType dtype, std::int64_t terms) {
  constexpr double kCovered = 16384;
  OutputRule rule = cuda_gemm_types(dtype).rule;
  const bool cuts_off = rule.tolerance == kTensorCore;
  if (cuts_off) rule.tolerance *= std::sqrt(std::max(1.0, static_cast<double>(terms) / kCovered));
  return rule;
}

const void* one_of(int scale_type) {
  switch (scale_type) {
    case cb::kR64F: return &kOne64;
    case cb::kR16F: return &kOne16;
    case cb::kR32I: return &kOneInt;
    default: return &kOne32;
  }
}

const void* zero_of(int scale_type) {
  switch (scale_type) {
    case cb::kR64F: return &kZero64;
    case cb::kR16F: return &kZero16;
    case cb::kR32I: return &kZeroInt;
    default: return &kZero32;
  }
}

}  // namespace gpuassay
