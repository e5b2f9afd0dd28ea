// Which functions of cuBLAS 11, 12 and 13 (libcublas.so.N) does gpuassay call? Only the `_v2` names, whose prototypes
// are the same in all three. Our own declarations; tests/component/cublas_abi_test.cpp compares them with the headers.
#pragma once

#include <array>
#include <cstddef>
#include <source_location>
#include <vector>

#include "agent/dynlib/function_table.h"
#include "agent/dynlib/library_candidates.h"
#include "agent/dynlib/library_version.h"
#include "agent/dynlib/shared_library.h"

namespace gpuassay::cuda {
struct StreamRecord;
using Stream = StreamRecord*;
}  // namespace gpuassay::cuda

namespace gpuassay::cublas {

/// Newest first.
inline constexpr std::array<const char*, 3> kSonames = {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11"};

// ---- the ABI of cuBLAS; enums travel as int ----
struct HandleRecord;
using Handle = HandleRecord*;

enum Status : int {
  kSuccess = 0,
  kNotInitialized = 1,
  kAllocFailed = 3,
  kInvalidValue = 7,
  kArchMismatch = 8,
  kMappingError = 11,
  kExecutionFailed = 13,
  kInternalError = 14,
  kNotSupported = 15,
  kLicenseError = 16,
};
enum Operation : int { kNoTranspose = 0, kTranspose = 1 };
/// cudaDataType_t.
enum DataType : int {
  kR32F = 0,
  kR64F = 1,
  kR16F = 2,
  kR8I = 3,
  kR32I = 10,
  kR16BF = 14,
  kR8FE4M3 = 28,
  kR8FE5M2 = 29,
  kR8FUE8M0 = 30,
  kR4FE2M1 = 33,
};
/// cublasComputeType_t. Alpha and beta are half for kCompute16F, int32 for kCompute32I, double for kCompute64F, else
/// float.
enum ComputeType : int {
  kCompute16F = 64,
  kCompute32F = 68,
  kCompute32FPedantic = 69,
  kCompute64F = 70,
  kCompute32I = 72,
  kCompute32FFastTF32 = 77,
};
enum GemmAlgo : int { kGemmDefault = -1, kGemmDefaultTensorOp = 99 };
enum MathMode : int { kDefaultMath = 0, kPedanticMath = 2, kTF32TensorOpMath = 3, kNoReducedPrecisionReduction = 16 };
enum PropertyType : int { kMajorVersion = 0, kMinorVersion = 1, kPatchLevel = 2 };
/// __half as it travels behind a pointer.
using HalfBits = unsigned short;

/// The functions, under their exported names. Required ones are never null; optional ones may be.
/// Matrices are column-major; alpha and beta point to the host.
struct Api {
  // required
  int (*cublasGetProperty)(int type, int* value) = nullptr;  ///< works without a GPU
  int (*cublasCreate_v2)(Handle* handle) = nullptr;
  int (*cublasDestroy_v2)(Handle) = nullptr;
  int (*cublasSetStream_v2)(Handle, cuda::Stream) = nullptr;
  int (*cublasGetVersion_v2)(Handle, int* version) = nullptr;
  int (*cublasSetMathMode)(Handle, int mode) = nullptr;
  int (*cublasSgemm_v2)(Handle, int transa, int transb, int m, int n, int k, const float* alpha, const float* a,
                        int lda, const float* b, int ldb, const float* beta, float* c, int ldc) = nullptr;
  int (*cublasDgemm_v2)(Handle, int transa, int transb, int m, int n, int k, const double* alpha, const double* a,
                        int lda, const double* b, int ldb, const double* beta, double* c, int ldc) = nullptr;
  int (*cublasGemmEx)(Handle, int transa, int transb, int m, int n, int k, const void* alpha, const void* a, int a_type,
                      int lda, const void* b, int b_type, int ldb, const void* beta, void* c, int c_type, int ldc,
                      int compute_type, int algo) = nullptr;
  int (*cublasGemmStridedBatchedEx)(Handle, int transa, int transb, int m, int n, int k, const void* alpha,
                                    const void* a, int a_type, int lda, long long stride_a, const void* b, int b_type,
                                    int ldb, long long stride_b, const void* beta, void* c, int c_type, int ldc,
                                    long long stride_c, int batch, int compute_type, int algo) = nullptr;
  int (*cublasSgemmStridedBatched)(Handle, int transa, int transb, int m, int n, int k, const float* alpha,
                                   const float* a, int lda, long long stride_a, const float* b, int ldb,
                                   long long stride_b, const float* beta, float* c, int ldc, long long stride_c,
                                   int batch) = nullptr;
  int (*cublasDgemmStridedBatched)(Handle, int transa, int transb, int m, int n, int k, const double* alpha,
                                   const double* a, int lda, long long stride_a, const double* b, int ldb,
                                   long long stride_b, const double* beta, double* c, int ldc, long long stride_c,
                                   int batch) = nullptr;
  // optional
  int (*cublasSetWorkspace_v2)(Handle, void* workspace, std::size_t bytes) = nullptr;  ///< from 11.2
  const char* (*cublasGetStatusName)(int status) = nullptr;                            ///< from 11.4
  const char* (*cublasGetStatusString)(int status) = nullptr;                          ///< from 11.4
  int (*cublasHgemm)(Handle, int transa, int transb, int m, int n, int k, const HalfBits* alpha, const HalfBits* a,
                     int lda, const HalfBits* b, int ldb, const HalfBits* beta, HalfBits* c, int ldc) = nullptr;
};

/// Every exported name gpuassay asks for, in the order of Api.
std::vector<SymbolName> symbol_names();

struct LoadedLibrary {
  SharedLibrary library;
  Api api;
  LibraryVersion version;
};

/// Opens cuBLAS at `candidate`, with the cuBLASLt that lies beside it, and asks for its version; needs no GPU. Stays
/// mapped for the life of the process. Throws Error{library_missing} when it is absent, does not load or lacks a
/// required function, Error{library_failed} when it does not tell its version.
LoadedLibrary load(const LibraryCandidate& candidate);

/// Throws unless `status` is kSuccess: Error{out_of_memory} for kAllocFailed, Error{unsupported} for kArchMismatch and
/// kNotSupported, Error{library_failed} for the rest, with the status' name.
void check(const Api& api, int status, const char* symbol,
           std::source_location where = std::source_location::current());

/// Throws for a `status` that is not kSuccess, as check() does; `text` is the library's own name for it, or null.
[[noreturn]] void throw_status(int status, const char* symbol, const char* text, std::source_location where);

/// The name of a status, for libraries too old to tell it: "CUBLAS_STATUS_NOT_SUPPORTED".
const char* status_name(int status);

}  // namespace gpuassay::cublas
