// The fake libcublas.so.N; FAKE_MAJOR is N.
#include "tests/support/fake_gpu/cublas_entry.h"
#include "tests/support/fake_gpu/cublas_exports.h"
#include "tests/support/fake_gpu/matmul.h"

namespace gpuassay::cublas {

struct HandleRecord {
  cuda::Stream stream = nullptr;
  int math_mode = kDefaultMath;
};

using fake::cublas_call;
using fake::Machine;
using fake::Matmul;
using fake::Matrix;
using fake::StatusFailure;

namespace {

/// One call of the family, as the widest of them takes it.
struct Call {
  int transa, transb;
  int m, n, k;
  const void* alpha;
  const void* a;
  int a_type, lda;
  long long stride_a;
  const void* b;
  int b_type, ldb;
  long long stride_b;
  const void* beta;
  void* c;
  int c_type, ldc;
  long long stride_c;
  int batch;
  int compute_type;
};

Matrix matrix(const void* address, int type, int rows, int columns, int ld, long long stride, int batch) {
  Matrix result;
  result.type = type;
  result.rows = static_cast<std::uint64_t>(rows);
  result.columns = static_cast<std::uint64_t>(columns);
  result.leading_dimension = ld;
  result.stride = stride;
  result.batch = batch;
  result.address = reinterpret_cast<std::uint64_t>(address);
  return result;
}

Matmul matmul_of(const Call& call) {
  if (call.m < 1 || call.n < 1 || call.k < 1 || call.batch < 1) throw StatusFailure{kInvalidValue};
  Matmul matmul;
  matmul.compute_type = call.compute_type;
  matmul.transpose_a = call.transa != kNoTranspose;
  matmul.transpose_b = call.transb != kNoTranspose;
  const bool ta = matmul.transpose_a;
  const bool tb = matmul.transpose_b;
  matmul.a =
      matrix(call.a, call.a_type, ta ? call.k : call.m, ta ? call.m : call.k, call.lda, call.stride_a, call.batch);
  matmul.b =
      matrix(call.b, call.b_type, tb ? call.n : call.k, tb ? call.k : call.n, call.ldb, call.stride_b, call.batch);
  matmul.c = matrix(call.c, call.c_type, call.m, call.n, call.ldc, call.stride_c, call.batch);
  matmul.d = matmul.c;
  matmul.alpha = fake::scalar_of(call.alpha, call.compute_type);
  matmul.beta = fake::scalar_of(call.beta, call.compute_type);
  return matmul;
}

/// @param extended of the GemmEx family, which has no kernels below 5.0 and none for fp8.
int gemm(Handle handle, const Call& call, bool extended) {
  return cublas_call([&](Machine& machine) {
    const HandleRecord& record = machine.checked(handle);
    const fake::Device& device = machine.current();
    const int capability = device.profile().capability();
    const fake::Version version = fake::cublas_version();
    const fake::Coverage coverage = fake::cublas_coverage(version);
    if (capability < coverage.lowest || capability > coverage.highest) throw StatusFailure{kArchMismatch};
    constexpr int kLowestExtended = 50;
    if (extended && capability < kLowestExtended) throw StatusFailure{kArchMismatch};
    Matmul matmul = matmul_of(call);
    if (matmul.compute_type == kCompute32F && matmul.a.type == kR32F && record.math_mode == kTF32TensorOpMath) {
      matmul.compute_type = kCompute32FFastTF32;
    }
    if (matmul.a.type == kR8FE4M3 || matmul.a.type == kR4FE2M1) throw StatusFailure{kNotSupported};
    if (fake::refused_by_fault(machine, device, "gemm", fake::dtype_of(matmul))) throw StatusFailure{kNotSupported};
    const int status = fake::matmul_status(matmul, device, version);
    if (status != kSuccess) throw StatusFailure{status};
    constexpr double kHeuristicSpeed = 0.97;  // its own choice is good, not always the best
    fake::submit_matmul(machine, machine.stream(record.stream), matmul, kHeuristicSpeed);
  });
}

/// The Call of a family member with one type for all matrices.
template <class Value>
Call plain(int transa, int transb, int m, int n, int k, const Value* alpha, const Value* a, int lda, const Value* b,
           int ldb, const Value* beta, Value* c, int ldc, int type, int compute_type) {
  return {transa, transb, m, n, k, alpha, a, type, lda, 0, b, type, ldb, 0, beta, c, type, ldc, 0, 1, compute_type};
}

}  // namespace

int cublasGetProperty(int type, int* value) { return fake::property(type, value); }

int cublasCreate_v2(Handle* handle) {
  return cublas_call([&](Machine& machine) {
    if (handle == nullptr) throw StatusFailure{kInvalidValue};
    fake::check_create(machine);
    *handle = machine.adopt(std::make_unique<HandleRecord>());
  });
}

int cublasDestroy_v2(Handle handle) {
  return cublas_call([&](Machine& machine) { machine.release(handle); });
}

int cublasSetStream_v2(Handle handle, cuda::Stream stream) {
  return cublas_call([&](Machine& machine) {
    machine.stream(stream);
    machine.checked(handle).stream = stream;
  });
}

int cublasGetVersion_v2(Handle handle, int* version) {
  return cublas_call([&](Machine& machine) {
    machine.checked(handle);
    const fake::Version own = fake::cublas_version();
    *version = 10000 * own.major + 100 * own.minor + own.patch;
  });
}

int cublasSetMathMode(Handle handle, int mode) {
  return cublas_call([&](Machine& machine) { machine.checked(handle).math_mode = mode; });
}

int cublasSetWorkspace_v2(Handle handle, void* workspace, std::size_t bytes) {
  return cublas_call([&](Machine& machine) {
    machine.checked(handle);
    constexpr std::uint64_t kAlignment = 256;
    const auto address = reinterpret_cast<std::uint64_t>(workspace);
    if (address % kAlignment != 0) throw StatusFailure{kInvalidValue};
    if (bytes > 0) machine.range(address, bytes, cuda::kInvalidValue);
  });
}

const char* cublasGetStatusName(int status) {
  switch (status) {
    case kSuccess: return "CUBLAS_STATUS_SUCCESS";
    case kNotInitialized: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case kAllocFailed: return "CUBLAS_STATUS_ALLOC_FAILED";
    case kInvalidValue: return "CUBLAS_STATUS_INVALID_VALUE";
    case kArchMismatch: return "CUBLAS_STATUS_ARCH_MISMATCH";
    case kExecutionFailed: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case kInternalError: return "CUBLAS_STATUS_INTERNAL_ERROR";
    case kNotSupported: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "CUBLAS_STATUS_UNKNOWN";
  }
}

const char* cublasGetStatusString(int status) { return cublasGetStatusName(status); }

int cublasSgemm_v2(Handle handle, int transa, int transb, int m, int n, int k, const float* alpha, const float* a,
                   int lda, const float* b, int ldb, const float* beta, float* c, int ldc) {
  return gemm(handle, plain(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, kR32F, kCompute32F), false);
}

int cublasDgemm_v2(Handle handle, int transa, int transb, int m, int n, int k, const double* alpha, const double* a,
                   int lda, const double* b, int ldb, const double* beta, double* c, int ldc) {
  return gemm(handle, plain(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, kR64F, kCompute64F), false);
}

int cublasHgemm(Handle handle, int transa, int transb, int m, int n, int k, const HalfBits* alpha, const HalfBits* a,
                int lda, const HalfBits* b, int ldb, const HalfBits* beta, HalfBits* c, int ldc) {
  return gemm(handle, plain(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, kR16F, kCompute16F), true);
}

int cublasGemmEx(Handle handle, int transa, int transb, int m, int n, int k, const void* alpha, const void* a,
                 int a_type, int lda, const void* b, int b_type, int ldb, const void* beta, void* c, int c_type,
                 int ldc, int compute_type, int /*algo*/) {
  const Call call{transa, transb, m, n,    k, alpha,  a,   a_type, lda, 0,           b,
                  b_type, ldb,    0, beta, c, c_type, ldc, 0,      1,   compute_type};
  return gemm(handle, call, true);
}

int cublasGemmStridedBatchedEx(Handle handle, int transa, int transb, int m, int n, int k, const void* alpha,
                               const void* a, int a_type, int lda, long long stride_a, const void* b, int b_type,
                               int ldb, long long stride_b, const void* beta, void* c, int c_type, int ldc,
                               long long stride_c, int batch, int compute_type, int /*algo*/) {
  const Call call{transa, transb, m,        n,    k, alpha,  a,   a_type,   lda,   stride_a,    b,
                  b_type, ldb,    stride_b, beta, c, c_type, ldc, stride_c, batch, compute_type};
  return gemm(handle, call, true);
}

int cublasSgemmStridedBatched(Handle handle, int transa, int transb, int m, int n, int k, const float* alpha,
                              const float* a, int lda, long long stride_a, const float* b, int ldb, long long stride_b,
                              const float* beta, float* c, int ldc, long long stride_c, int batch) {
  Call call = plain(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, kR32F, kCompute32F);
  call.stride_a = stride_a;
  call.stride_b = stride_b;
  call.stride_c = stride_c;
  call.batch = batch;
  return gemm(handle, call, false);
}

int cublasDgemmStridedBatched(Handle handle, int transa, int transb, int m, int n, int k, const double* alpha,
                              const double* a, int lda, long long stride_a, const double* b, int ldb,
                              long long stride_b, const double* beta, double* c, int ldc, long long stride_c,
                              int batch) {
  Call call = plain(transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, kR64F, kCompute64F);
  call.stride_a = stride_a;
  call.stride_b = stride_b;
  call.stride_c = stride_c;
  call.batch = batch;
  return gemm(handle, call, false);
}

namespace {

/// Compiles only while the prototypes are those of the agent's table.
[[maybe_unused]] const Api kSamePrototypes{
    .cublasGetProperty = cublasGetProperty,
    .cublasCreate_v2 = cublasCreate_v2,
    .cublasDestroy_v2 = cublasDestroy_v2,
    .cublasSetStream_v2 = cublasSetStream_v2,
    .cublasGetVersion_v2 = cublasGetVersion_v2,
    .cublasSetMathMode = cublasSetMathMode,
    .cublasSgemm_v2 = cublasSgemm_v2,
    .cublasDgemm_v2 = cublasDgemm_v2,
    .cublasGemmEx = cublasGemmEx,
    .cublasGemmStridedBatchedEx = cublasGemmStridedBatchedEx,
    .cublasSgemmStridedBatched = cublasSgemmStridedBatched,
    .cublasDgemmStridedBatched = cublasDgemmStridedBatched,
    .cublasSetWorkspace_v2 = cublasSetWorkspace_v2,
    .cublasGetStatusName = cublasGetStatusName,
    .cublasGetStatusString = cublasGetStatusString,
    .cublasHgemm = cublasHgemm,
};

}  // namespace
}  // namespace gpuassay::cublas
