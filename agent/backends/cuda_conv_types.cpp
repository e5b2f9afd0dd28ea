#include "agent/backends/cuda_conv_types.h"

#include <fmt/format.h>

#include <array>

#include "agent/backends/cuda_gemm_types.h"
#include "agent/workloads/conv_reference.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

constexpr int kTensorCoresFrom = 70;
constexpr int kTf32From = 80;

constexpr std::array<std::string_view, 8> kForward{
    "implicit_gemm", "implicit_precomp_gemm", "gemm", "direct", "fft", "fft_tiling", "winograd", "winograd_nonfused"};
constexpr std::array<std::string_view, 6> kBackwardData{"algo_0",     "algo_1",   "fft",
                                                        "fft_tiling", "winograd", "winograd_nonfused"};
constexpr std::array<std::string_view, 7> kBackwardFilter{
    "algo_0", "algo_1", "fft", "algo_3", "winograd", "winograd_nonfused", "fft_tiling"};

bool transforms(std::string_view name) { return name.starts_with("winograd") || name.starts_with("fft"); }

}  // namespace

CudaConvTypes cuda_conv_types(DType dtype, int compute_capability) {
  using kernels::ElementFormat;
  const auto need = [&](int least) {
    if (compute_capability >= least) return;
    throw Error(ErrorCode::unsupported,
                fmt::format("{} convolutions need compute capability {}.{}, this GPU has {}.{}", to_name(dtype),
                            least / 10, least % 10, compute_capability / 10, compute_capability % 10));
  };
  switch (dtype) {
    case DType::fp32: return {ElementFormat::fp32, OutputFormat::fp32, cudnn::kFloat, cudnn::kFmaMath, {cudnn::kNchw}};
    case DType::tf32:
      need(kTf32From);
      return {
          ElementFormat::tf32, OutputFormat::fp32, cudnn::kFloat, cudnn::kTensorOpMath, {cudnn::kNhwc, cudnn::kNchw}};
    case DType::fp16:
      if (compute_capability < kTensorCoresFrom) {
        return {ElementFormat::fp16, OutputFormat::fp16, cudnn::kHalf, cudnn::kDefaultMath, {cudnn::kNchw}};
      }
      return {
          ElementFormat::fp16, OutputFormat::fp16, cudnn::kHalf, cudnn::kTensorOpMath, {cudnn::kNhwc, cudnn::kNchw}};
    case DType::bf16:
      need(kTf32From);
      return {ElementFormat::bf16,
              OutputFormat::bf16,
              cudnn::kBfloat16,
              cudnn::kTensorOpMath,
              {cudnn::kNhwc, cudnn::kNchw}};
    default: break;
  }
  throw Error(ErrorCode::unsupported, fmt::format("convolutions are not measured in {}", to_name(dtype)));
}

std::string_view conv_algorithm_name(ConvDirection direction, int algo) {
  const auto name = [algo](const auto& names) -> std::string_view {
    return algo >= 0 && static_cast<std::size_t>(algo) < names.size() ? names[static_cast<std::size_t>(algo)]
                                                                      : "unknown";
  };
  switch (direction) {
    case ConvDirection::forward: return name(kForward);
    case ConvDirection::backward_data: return name(kBackwardData);
    case ConvDirection::backward_weights: return name(kBackwardFilter);
  }
  return "unknown";
}

OutputRule conv_output_rule(const ConvParams& params, int algo) {
  const DType dtype = params.dtype;
  OutputRule rule = cuda_rule_for_terms(dtype, conv_terms(params));
  if (!transforms(conv_algorithm_name(params.direction, algo))) return rule;
  rule.tolerance = dtype == DType::fp16 ? 0x1p-8 : dtype == DType::bf16 ? 0x1p-6 : 0x1p-13;
  return rule;
}

}  // namespace gpuassay
