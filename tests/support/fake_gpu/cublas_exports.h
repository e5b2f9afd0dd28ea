// The exported functions of the fake libcublas.so.N and libcublasLt.so.N; compared with the agent's tables where they
// are defined.
#pragma once

#include "agent/dynlib/cublas.h"
#include "agent/dynlib/cublaslt.h"

namespace gpuassay::cublas {
#pragma GCC visibility push(default)
extern "C" {
int cublasGetProperty(int type, int* value);
int cublasCreate_v2(Handle* handle);
int cublasDestroy_v2(Handle handle);
int cublasSetStream_v2(Handle handle, cuda::Stream stream);
int cublasGetVersion_v2(Handle handle, int* version);
int cublasSetMathMode(Handle handle, int mode);
int cublasSetWorkspace_v2(Handle handle, void* workspace, std::size_t bytes);
const char* cublasGetStatusName(int status);
const char* cublasGetStatusString(int status);
int cublasSgemm_v2(Handle handle, int transa, int transb, int m, int n, int k, const float* alpha, const float* a,
                   int lda, const float* b, int ldb, const float* beta, float* c, int ldc);
int cublasDgemm_v2(Handle handle, int transa, int transb, int m, int n, int k, const double* alpha, const double* a,
                   int lda, const double* b, int ldb, const double* beta, double* c, int ldc);
int cublasHgemm(Handle handle, int transa, int transb, int m, int n, int k, const HalfBits* alpha, const HalfBits* a,
                int lda, const HalfBits* b, int ldb, const HalfBits* beta, HalfBits* c, int ldc);
int cublasGemmEx(Handle handle, int transa, int transb, int m, int n, int k, const void* alpha, const void* a,
                 int a_type, int lda, const void* b, int b_type, int ldb, const void* beta, void* c, int c_type,
                 int ldc, int compute_type, int algo);
int cublasGemmStridedBatchedEx(Handle handle, int transa, int transb, int m, int n, int k, const void* alpha,
                               const void* a, int a_type, int lda, long long stride_a, const void* b, int b_type,
                               int ldb, long long stride_b, const void* beta, void* c, int c_type, int ldc,
                               long long stride_c, int batch, int compute_type, int algo);
int cublasSgemmStridedBatched(Handle handle, int transa, int transb, int m, int n, int k, const float* alpha,
                              const float* a, int lda, long long stride_a, const float* b, int ldb, long long stride_b,
                              const float* beta, float* c, int ldc, long long stride_c, int batch);
int cublasDgemmStridedBatched(Handle handle, int transa, int transb, int m, int n, int k, const double* alpha,
                              const double* a, int lda, long long stride_a, const double* b, int ldb,
                              long long stride_b, const double* beta, double* c, int ldc, long long stride_c,
                              int batch);
}
#pragma GCC visibility pop
}  // namespace gpuassay::cublas

namespace gpuassay::cublaslt {
#pragma GCC visibility push(default)
extern "C" {
std::size_t cublasLtGetVersion();
int cublasLtGetProperty(int type, int* value);
const char* cublasLtGetStatusName(int status);
int cublasLtCreate(Handle* handle);
int cublasLtDestroy(Handle handle);
int cublasLtMatmulDescCreate(MatmulDesc* desc, int compute_type, int scale_type);
int cublasLtMatmulDescDestroy(MatmulDesc desc);
int cublasLtMatmulDescSetAttribute(MatmulDesc desc, int attribute, const void* value, std::size_t bytes);
int cublasLtMatrixLayoutCreate(MatrixLayout* layout, int type, std::uint64_t rows, std::uint64_t columns,
                               std::int64_t leading_dimension);
int cublasLtMatrixLayoutDestroy(MatrixLayout layout);
int cublasLtMatrixLayoutSetAttribute(MatrixLayout layout, int attribute, const void* value, std::size_t bytes);
int cublasLtMatmulPreferenceCreate(Preference* preference);
int cublasLtMatmulPreferenceDestroy(Preference preference);
int cublasLtMatmulPreferenceSetAttribute(Preference preference, int attribute, const void* value, std::size_t bytes);
int cublasLtMatmulAlgoConfigGetAttribute(const Algo* algo, int attribute, void* value, std::size_t bytes,
                                         std::size_t* written);
int cublasLtMatmulAlgoGetHeuristic(Handle handle, MatmulDesc desc, MatrixLayout a, MatrixLayout b, MatrixLayout c,
                                   MatrixLayout d, Preference preference, int requested, HeuristicResult* results,
                                   int* returned);
int cublasLtMatmulAlgoCheck(Handle handle, MatmulDesc desc, MatrixLayout a, MatrixLayout b, MatrixLayout c,
                            MatrixLayout d, const Algo* algo, HeuristicResult* result);
int cublasLtMatmulAlgoGetIds(Handle handle, int compute_type, int scale_type, int a_type, int b_type, int c_type,
                             int d_type, int requested, int* ids, int* returned);
int cublasLtMatmulAlgoInit(Handle handle, int compute_type, int scale_type, int a_type, int b_type, int c_type,
                           int d_type, int id, Algo* algo);
int cublasLtMatmul(Handle handle, MatmulDesc desc, const void* alpha, const void* a, MatrixLayout a_layout,
                   const void* b, MatrixLayout b_layout, const void* beta, const void* c, MatrixLayout c_layout,
                   void* d, MatrixLayout d_layout, const Algo* algo, void* workspace, std::size_t workspace_bytes,
                   cuda::Stream stream);
}
#pragma GCC visibility pop
}  // namespace gpuassay::cublaslt
