// How is a convolution of one dtype put to cuDNN, which names do its algorithms have, and how exact are they?
#pragma once

#include <string_view>
#include <vector>

#include "agent/backends/cuda_tensor.h"
#include "agent/dynlib/cudnn.h"
#include "agent/workloads/output_check.h"
#include "core/model.h"

namespace gpuassay {

struct CudaConvTypes {
  kernels::ElementFormat element;
  OutputFormat output;
  int data_type;             ///< cudnn::DataType of all three tensors; sums are fp32
  int math_type;             ///< cudnn::MathType
  std::vector<int> formats;  ///< cudnn::TensorFormat worth trying, the likelier first
};

/// Throws Error{unsupported} for a dtype that cuDNN's convolutions have not, or not on this compute capability
/// (10 x major + minor): tf32 and bf16 need 8.0.
CudaConvTypes cuda_conv_types(DType dtype, int compute_capability);

/// "implicit_precomp_gemm", "winograd_nonfused", ...; numbers as in cudnn.h.
std::string_view conv_algorithm_name(ConvDirection direction, int algo);

/// Tolerance for an output computed by `algo`. Direct sums are as exact as those of a matrix product. Winograd and FFT
/// compute in a transformed space, where intermediate numbers are larger than the result and lose more (A. Lavin and
/// S. Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016): 2^-13 of the sum of magnitudes with fp32
/// intermediates, 2^-8 with fp16, 2^-6 with bf16.
OutputRule conv_output_rule(const ConvParams& params, int algo);

}  // namespace gpuassay
