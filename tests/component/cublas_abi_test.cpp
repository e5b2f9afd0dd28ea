// Compile-only: our declarations of cuBLAS' ABI are those of <cublas_v2.h>. Built once per set of headers found.
#include <cublas_v2.h>
#include <gtest/gtest.h>

#include "agent/dynlib/cublas.h"
#include "tests/support/same_signature.h"

namespace gpuassay::cublas {
namespace {

template <auto kOurMember, class Theirs>
constexpr bool kSame = test::kSameSignature<Api, kOurMember, Theirs>;

// The header overloads these two for callers of old: the exported one is spelled out, and the header must have it.
using GemmEx = cublasStatus_t (*)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void*,
                                  const void*, cudaDataType, int, const void*, cudaDataType, int, const void*, void*,
                                  cudaDataType, int, cublasComputeType_t, cublasGemmAlgo_t);
using GemmStridedBatchedEx = cublasStatus_t (*)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int,
                                                const void*, const void*, cudaDataType, int, long long, const void*,
                                                cudaDataType, int, long long, const void*, void*, cudaDataType, int,
                                                long long, int, cublasComputeType_t, cublasGemmAlgo_t);

static_assert(kSame<&Api::cublasGetProperty, decltype(&::cublasGetProperty)>);
static_assert(kSame<&Api::cublasCreate_v2, decltype(&::cublasCreate_v2)>);
static_assert(kSame<&Api::cublasDestroy_v2, decltype(&::cublasDestroy_v2)>);
static_assert(kSame<&Api::cublasSetStream_v2, decltype(&::cublasSetStream_v2)>);
static_assert(kSame<&Api::cublasGetVersion_v2, decltype(&::cublasGetVersion_v2)>);
static_assert(kSame<&Api::cublasSetMathMode, decltype(&::cublasSetMathMode)>);
static_assert(kSame<&Api::cublasSgemm_v2, decltype(&::cublasSgemm_v2)>);
static_assert(kSame<&Api::cublasDgemm_v2, decltype(&::cublasDgemm_v2)>);
static_assert(kSame<&Api::cublasHgemm, decltype(&::cublasHgemm)>);
static_assert(kSame<&Api::cublasGemmEx, decltype(static_cast<GemmEx>(&::cublasGemmEx))>);
static_assert(kSame<&Api::cublasGemmStridedBatchedEx,
                    decltype(static_cast<GemmStridedBatchedEx>(&::cublasGemmStridedBatchedEx))>);
static_assert(kSame<&Api::cublasSgemmStridedBatched, decltype(&::cublasSgemmStridedBatched)>);
static_assert(kSame<&Api::cublasDgemmStridedBatched, decltype(&::cublasDgemmStridedBatched)>);
static_assert(kSame<&Api::cublasSetWorkspace_v2, decltype(&::cublasSetWorkspace_v2)>);
static_assert(kSame<&Api::cublasGetStatusName, decltype(&::cublasGetStatusName)>);
static_assert(kSame<&Api::cublasGetStatusString, decltype(&::cublasGetStatusString)>);
// The comparison itself can fail.
static_assert(!kSame<&Api::cublasSgemm_v2, decltype(&::cublasDgemm_v2)>);
static_assert(!kSame<&Api::cublasGemmEx, GemmStridedBatchedEx>);

static_assert(sizeof(HalfBits) == sizeof(__half) && alignof(HalfBits) == alignof(__half));
static_assert(int{kSuccess} == CUBLAS_STATUS_SUCCESS);
static_assert(int{kNotInitialized} == CUBLAS_STATUS_NOT_INITIALIZED);
static_assert(int{kAllocFailed} == CUBLAS_STATUS_ALLOC_FAILED);
static_assert(int{kInvalidValue} == CUBLAS_STATUS_INVALID_VALUE);
static_assert(int{kArchMismatch} == CUBLAS_STATUS_ARCH_MISMATCH);
static_assert(int{kMappingError} == CUBLAS_STATUS_MAPPING_ERROR);
static_assert(int{kExecutionFailed} == CUBLAS_STATUS_EXECUTION_FAILED);
static_assert(int{kInternalError} == CUBLAS_STATUS_INTERNAL_ERROR);
static_assert(int{kNotSupported} == CUBLAS_STATUS_NOT_SUPPORTED);
static_assert(int{kLicenseError} == CUBLAS_STATUS_LICENSE_ERROR);
static_assert(int{kNoTranspose} == CUBLAS_OP_N);
static_assert(int{kTranspose} == CUBLAS_OP_T);
static_assert(int{kCompute16F} == CUBLAS_COMPUTE_16F);
static_assert(int{kCompute32F} == CUBLAS_COMPUTE_32F);
static_assert(int{kCompute32FPedantic} == CUBLAS_COMPUTE_32F_PEDANTIC);
static_assert(int{kCompute64F} == CUBLAS_COMPUTE_64F);
static_assert(int{kCompute32I} == CUBLAS_COMPUTE_32I);
static_assert(int{kCompute32FFastTF32} == CUBLAS_COMPUTE_32F_FAST_TF32);
static_assert(int{kGemmDefault} == CUBLAS_GEMM_DEFAULT);
static_assert(int{kGemmDefaultTensorOp} == CUBLAS_GEMM_DEFAULT_TENSOR_OP);
static_assert(int{kDefaultMath} == CUBLAS_DEFAULT_MATH);
static_assert(int{kPedanticMath} == CUBLAS_PEDANTIC_MATH);
static_assert(int{kTF32TensorOpMath} == CUBLAS_TF32_TENSOR_OP_MATH);
static_assert(int{kR32F} == CUDA_R_32F);
static_assert(int{kR64F} == CUDA_R_64F);
static_assert(int{kR16F} == CUDA_R_16F);
static_assert(int{kR8I} == CUDA_R_8I);
static_assert(int{kR32I} == CUDA_R_32I);
static_assert(int{kR16BF} == CUDA_R_16BF);
static_assert(int{kR8FE4M3} == CUDA_R_8F_E4M3);
static_assert(int{kR8FE5M2} == CUDA_R_8F_E5M2);
#if CUBLAS_VER_MAJOR >= 13
static_assert(int{kR8FUE8M0} == CUDA_R_8F_UE8M0);
static_assert(int{kR4FE2M1} == CUDA_R_4F_E2M1);
#endif
static_assert(int{kMajorVersion} == MAJOR_VERSION);
static_assert(int{kMinorVersion} == MINOR_VERSION);
static_assert(int{kPatchLevel} == PATCH_LEVEL);

TEST(CublasAbi, DeclarationsWereComparedWhenThisFileWasCompiled) { EXPECT_GE(CUBLAS_VER_MAJOR, 11); }

}  // namespace
}  // namespace gpuassay::cublas
