// Which types does a matrix product of one dtype have on a GPU, and how exact must its output be?
#pragma once

#include "agent/backends/cuda_tensor.h"
#include "agent/dynlib/cublas.h"
#include "agent/workloads/output_check.h"
#include "core/model.h"

namespace gpuassay {

struct CudaGemmTypes {
  kernels::ElementFormat input = kernels::ElementFormat::fp32;
  OutputFormat output = OutputFormat::fp32;
  int input_type = 0, output_type = 0;   ///< cublas::DataType
  int compute_type = 0, scale_type = 0;  ///< cublas::ComputeType; cublas::DataType of alpha and beta
  bool transposed_only = false;          ///< the library takes the right-hand matrix only as [n, k]
  OutputRule rule;
};

/// The types for `dtype`, with the tolerance of its arithmetic.
///
/// u(x) is the unit roundoff of x, S = sum |a*b| (see output_check.h). Tensor cores add several products at once,
/// aligned to the largest, and cut off what does not fit instead of rounding (M. Fasi, N. Higham, M. Mikaitis and
/// S. Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science 7:e330, 2021): errors then lean to
/// one side and grow faster than for rounded sums, which the factor of 4 below covers up to k = 16,384; longer ones
/// have cuda_rule_for_terms().
///   fp64, fp32            64*u(fp64), 16*u(fp32)
///   tf32, fp16, bf16      64*u(fp32), plus the output's own rounding
///   fp16_acc16            8*u(fp16), plus the output's own rounding. Partial sums of k = 8192 products stay below
///                         128, where one rounding costs 2^-5: 512 of them to one side are less than 8*u(fp16)*S
///   fp8, fp4              2^-11: Hopper's fp8 products are summed with 14 bits or so (DeepSeek-AI, "DeepSeek-V3
///                         Technical Report", 2024, section 3.3.2)
///   int8                  exact
CudaGemmTypes cuda_gemm_types(DType dtype);

/// The same tolerance for sums of `terms` products, as a weight gradient has (802,816 in ResNet-50's first layer). Each
/// addition on tensor cores cuts off up to 2*u of the partial sum, towards zero. Partial sums of independent terms with
/// mean zero grow like sqrt(i), so what is cut off grows like terms^1.5 and, relative to S, like sqrt(terms): above
/// 16,384 terms the 64*u do. An H200 showed 103*u of the 448*u allowed there, and at most 0.17*sqrt(terms)*u anywhere.
OutputRule cuda_rule_for_terms(DType dtype, std::int64_t terms);

/// One as alpha, zero as beta, in the type that the scale type demands; addresses stay valid for ever.
const void* one_of(int scale_type);
const void* zero_of(int scale_type);

}  // namespace gpuassay
