// The fake libcublasLt.so.N: heuristics and matrix products.
#include "tests/support/fake_gpu/cublas_entry.h"
#include "tests/support/fake_gpu/cublas_exports.h"
#include "tests/support/fake_gpu/cublaslt_records.h"

namespace gpuassay::cublaslt {

using fake::cublas_call;
using fake::Machine;
using fake::Matmul;
using fake::StatusFailure;

namespace {

Matmul matmul_of(const Machine& machine, MatmulDesc desc, MatrixLayout a, MatrixLayout b, MatrixLayout c,
                 MatrixLayout d) {
  const MatmulDescRecord& record = machine.checked(desc);
  Matmul matmul;
  matmul.compute_type = record.compute_type;
  matmul.transpose_a = record.transpose_a;
  matmul.transpose_b = record.transpose_b;
  matmul.scale_a = record.scale_a;
  matmul.scale_b = record.scale_b;
  matmul.a = machine.checked(a).matrix;
  matmul.b = machine.checked(b).matrix;
  matmul.c = machine.checked(c).matrix;
  matmul.d = machine.checked(d).matrix;
  return matmul;
}

/// Alpha and beta have the type that goes with the compute type.
bool scale_type_fits(const MatmulDescRecord& record) {
  switch (record.compute_type) {
    case cublas::kCompute64F: return record.scale_type == cublas::kR64F;
    case cublas::kCompute16F: return record.scale_type == cublas::kR16F;
    case cublas::kCompute32I: return record.scale_type == cublas::kR32I;
    default: return record.scale_type == cublas::kR32F;
  }
}

/// Throws what the library answers to a product it cannot do.
void check_supported(Machine& machine, MatmulDesc desc, const Matmul& matmul) {
  const fake::Device& device = machine.current();
  const fake::Version version = fake::cublas_version();
  const int capability = device.profile().capability();
  const fake::Coverage coverage = fake::cublas_coverage(version);
  // Kepler's code in cuBLASLt 11 is unproven: it counts as absent. See README.md.
  constexpr int kLowest = 50;
  if (capability < std::max(coverage.lowest, kLowest) || capability > coverage.highest) {
    throw StatusFailure{cublas::kArchMismatch};
  }
  // Volta has no int8 product in cuBLASLt.
  constexpr int kLowestInt8 = 72;
  const bool int8_missing = matmul.a.type == cublas::kR8I && capability < kLowestInt8;
  if (int8_missing || !scale_type_fits(machine.checked(desc))) throw StatusFailure{cublas::kNotSupported};
  if (fake::refused_by_fault(machine, device, "gemm", fake::dtype_of(matmul))) {
    throw StatusFailure{cublas::kNotSupported};
  }
  const int status = fake::matmul_status(matmul, device, version);
  if (status != cublas::kSuccess) throw StatusFailure{status};
}

HeuristicResult result_of(std::size_t number, const Matmul& matmul, const fake::GpuProfile& gpu) {
  HeuristicResult result{};
  result.algo = fake::pack(number);
  result.workspace_bytes = fake::kAlgos.at(number).workspace_bytes;
  result.state = cublas::kSuccess;
  const std::uint64_t tiles = (matmul.m() + 127) / 128 * ((matmul.n() + 127) / 128);
  result.waves_count = static_cast<float>(tiles) / static_cast<float>(gpu.sm_count);
  return result;
}

void check_workspace(Machine& machine, const fake::AlgoKind& algo, void* workspace, std::size_t bytes) {
  constexpr std::uint64_t kAlignment = 16;
  const auto address = reinterpret_cast<std::uint64_t>(workspace);
  if (algo.workspace_bytes > bytes || address % kAlignment != 0) throw StatusFailure{cublas::kInvalidValue};
  if (algo.workspace_bytes > 0) machine.range(address, bytes, cuda::kInvalidValue);
}

}  // namespace

int cublasLtCreate(Handle* handle) {
  return cublas_call([&](Machine& machine) {
    if (handle == nullptr) throw StatusFailure{cublas::kInvalidValue};
    fake::check_create(machine);
    *handle = machine.adopt(std::make_unique<HandleRecord>(HandleRecord{machine.current().ordinal()}));
  });
}

int cublasLtDestroy(Handle handle) {
  return cublas_call([&](Machine& machine) { machine.release(handle); });
}

int cublasLtMatmulAlgoGetHeuristic(Handle handle, MatmulDesc desc, MatrixLayout a, MatrixLayout b, MatrixLayout c,
                                   MatrixLayout d, Preference preference, int requested, HeuristicResult* results,
                                   int* returned) {
  return cublas_call([&](Machine& machine) {
    machine.checked(handle);
    if (results == nullptr || returned == nullptr || requested < 1) throw StatusFailure{cublas::kInvalidValue};
    *returned = 0;
    const Matmul matmul = matmul_of(machine, desc, a, b, c, d);
    try {
      check_supported(machine, desc, matmul);
    } catch (const StatusFailure& failure) {
      // A heuristic finds nothing; only running it tells why.
      if (failure.status == cublas::kArchMismatch) throw StatusFailure{cublas::kNotSupported};
      throw;
    }
    const std::uint64_t workspace = machine.checked(preference).workspace_bytes;
    for (std::size_t i = 0; i < fake::kAlgos.size() && *returned < requested; ++i) {
      if (fake::kAlgos.at(i).workspace_bytes > workspace) continue;
      results[(*returned)++] = result_of(i, matmul, machine.current().profile());
    }
  });
}

int cublasLtMatmulAlgoCheck(Handle handle, MatmulDesc desc, MatrixLayout a, MatrixLayout b, MatrixLayout c,
                            MatrixLayout d, const Algo* algo, HeuristicResult* result) {
  return cublas_call([&](Machine& machine) {
    machine.checked(handle);
    if (fake::unpack(algo) == nullptr || result == nullptr) throw StatusFailure{cublas::kInvalidValue};
    const Matmul matmul = matmul_of(machine, desc, a, b, c, d);
    check_supported(machine, desc, matmul);
    *result = result_of(algo->opaque[1], matmul, machine.current().profile());
  });
}

int cublasLtMatmulAlgoGetIds(Handle handle, int /*compute_type*/, int /*scale_type*/, int /*a_type*/, int /*b_type*/,
                             int /*c_type*/, int /*d_type*/, int requested, int* ids, int* returned) {
  return cublas_call([&](Machine& machine) {
    machine.checked(handle);
    if (ids == nullptr || returned == nullptr) throw StatusFailure{cublas::kInvalidValue};
    *returned = 0;
    for (const fake::AlgoKind& kind : fake::kAlgos) {
      if (*returned < requested) ids[(*returned)++] = kind.id;
    }
  });
}

int cublasLtMatmulAlgoInit(Handle handle, int /*compute_type*/, int /*scale_type*/, int /*a_type*/, int /*b_type*/,
                           int /*c_type*/, int /*d_type*/, int id, Algo* algo) {
  return cublas_call([&](Machine& machine) {
    machine.checked(handle);
    for (std::size_t i = 0; i < fake::kAlgos.size(); ++i) {
      if (fake::kAlgos.at(i).id != id) continue;
      *algo = fake::pack(i);
      return;
    }
    throw StatusFailure{cublas::kInvalidValue};
  });
}

int cublasLtMatmul(Handle handle, MatmulDesc desc, const void* alpha, const void* a, MatrixLayout a_layout,
                   const void* b, MatrixLayout b_layout, const void* beta, const void* c, MatrixLayout c_layout,
                   void* d, MatrixLayout d_layout, const Algo* algo, void* workspace, std::size_t workspace_bytes,
                   cuda::Stream stream) {
  return cublas_call([&](Machine& machine) {
    machine.checked(handle);
    Matmul matmul = matmul_of(machine, desc, a_layout, b_layout, c_layout, d_layout);
    matmul.a.address = reinterpret_cast<std::uint64_t>(a);
    matmul.b.address = reinterpret_cast<std::uint64_t>(b);
    matmul.c.address = reinterpret_cast<std::uint64_t>(c);
    matmul.d.address = reinterpret_cast<std::uint64_t>(d);
    matmul.alpha = fake::scalar_of(alpha, matmul.compute_type);
    matmul.beta = fake::scalar_of(beta, matmul.compute_type);
    check_supported(machine, desc, matmul);
    const fake::AlgoKind* kind = algo == nullptr ? fake::kAlgos.data() : fake::unpack(algo);
    if (kind == nullptr) throw StatusFailure{cublas::kInvalidValue};
    check_workspace(machine, *kind, workspace, workspace_bytes);
    fake::submit_matmul(machine, machine.stream(stream), matmul, kind->speed);
  });
}

namespace {

/// Compiles only while the prototypes are those of the agent's table.
[[maybe_unused]] const Api kSamePrototypes{
    .cublasLtGetVersion = cublasLtGetVersion,
    .cublasLtGetProperty = cublasLtGetProperty,
    .cublasLtMatmulDescCreate = cublasLtMatmulDescCreate,
    .cublasLtMatmulDescDestroy = cublasLtMatmulDescDestroy,
    .cublasLtMatmulDescSetAttribute = cublasLtMatmulDescSetAttribute,
    .cublasLtMatrixLayoutCreate = cublasLtMatrixLayoutCreate,
    .cublasLtMatrixLayoutDestroy = cublasLtMatrixLayoutDestroy,
    .cublasLtMatrixLayoutSetAttribute = cublasLtMatrixLayoutSetAttribute,
    .cublasLtMatmulPreferenceCreate = cublasLtMatmulPreferenceCreate,
    .cublasLtMatmulPreferenceDestroy = cublasLtMatmulPreferenceDestroy,
    .cublasLtMatmulPreferenceSetAttribute = cublasLtMatmulPreferenceSetAttribute,
    .cublasLtMatmulAlgoConfigGetAttribute = cublasLtMatmulAlgoConfigGetAttribute,
    .cublasLtCreate = cublasLtCreate,
    .cublasLtDestroy = cublasLtDestroy,
    .cublasLtMatmulAlgoGetHeuristic = cublasLtMatmulAlgoGetHeuristic,
    .cublasLtMatmul = cublasLtMatmul,
    .cublasLtMatmulAlgoCheck = cublasLtMatmulAlgoCheck,
    .cublasLtMatmulAlgoGetIds = cublasLtMatmulAlgoGetIds,
    .cublasLtMatmulAlgoInit = cublasLtMatmulAlgoInit,
    .cublasLtGetStatusName = cublasLtGetStatusName,
};

}  // namespace
}  // namespace gpuassay::cublaslt
