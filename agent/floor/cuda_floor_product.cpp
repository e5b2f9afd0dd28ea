#include "agent/floor/cuda_floor_product.h"

#include <fmt/format.h>

#include <vector>

#include "agent/backends/cublas_session.h"
#include "agent/backends/cublaslt_session.h"
#include "agent/backends/cuda_gemm_types.h"
#include "agent/backends/cuda_operation.h"
#include "agent/backends/cuda_trial.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// GemmEx is refused below this compute capability, whatever the types.
constexpr int kFloorGemmExFrom = 50;

/// As it is measured, but that a sum leaves in the type that it was added in: 11 bits would round it.
CudaGemmTypes exact_types(DType dtype) {
  CudaGemmTypes types = cuda_gemm_types(dtype);
  if (types.compute_type != cublas::kCompute32I) types.output_type = cublas::kR32F;
  return types;
}

/// Libraries are column-major: they compute C' = B * A', whose first operand is our B, transposed.
class LtFloorProduct final : public CudaFloorProduct {
 public:
  LtFloorProduct(CudaContext& context, const CublasLtSession& session, const FloorWork& work,
                 const CudaFloorOperands& operands)
      : context_(context),
        session_(session),
        operands_(operands),
        types_(exact_types(work.dtype)),
        workspace_(context.allocate(kLibraryWorkspaceBytes)),
        desc_(cublaslt::make_desc(api(), types_.compute_type, types_.scale_type)),
        a_(cublaslt::make_layout(api(), types_.input_type, work.shape.k, work.shape.m, 1)),
        b_(cublaslt::make_layout(api(), types_.input_type, work.shape.k, work.shape.n, 1)),
        c_(cublaslt::make_layout(api(), types_.output_type, work.shape.n, work.shape.m, 1)) {
    cublaslt::set(api(), desc_.get(), cublaslt::kDescTransA, static_cast<std::int32_t>(cublas::kTranspose));
    choose(work.dtype);
  }

  void enqueue() override { cublaslt::check(api(), run(algo_), "cublasLtMatmul"); }

 private:
  [[nodiscard]] const cublaslt::Api& api() const { return session_.library.api; }

  void choose(DType dtype) {
    constexpr int kRequested = 8;
    const cublaslt::OwnedPreference preference = cublaslt::make_preference(api(), workspace_.size_bytes());
    std::vector<cublaslt::HeuristicResult> results(kRequested);
    int returned = 0;
    const int status =
        api().cublasLtMatmulAlgoGetHeuristic(session_.handle.get(), desc_.get(), b_.get(), a_.get(), c_.get(), c_.get(),
                                             preference.get(), kRequested, results.data(), &returned);
    results.resize(status == cublas::kSuccess ? static_cast<std::size_t>(returned) : 0);
    std::erase_if(results, [](const auto& result) { return result.state != cublas::kSuccess; });
    const auto fastest = fastest_cuda_candidate(
        context_, results.size(), [&](std::size_t i) { return run(results[i].algo) == cublas::kSuccess; });
    if (!fastest)
      throw Error(ErrorCode::unsupported, fmt::format("cuBLASLt {} has no {} matrix product for a verified run",
                                                      session_.library.version.text(), to_name(dtype)));
    algo_ = results[*fastest].algo;
  }

  [[nodiscard]] int run(const cublaslt::Algo& algo) const {
    return api().cublasLtMatmul(session_.handle.get(), desc_.get(), one_of(types_.scale_type), operands_.b.pointer(),
                                b_.get(), operands_.a.pointer(), a_.get(), zero_of(types_.scale_type),
                                operands_.c.pointer(), c_.get(), operands_.c.pointer(), c_.get(), &algo,
                                workspace_.pointer(), workspace_.size_bytes(), context_.stream());
  }

  const CudaContext& context_;
  const CublasLtSession& session_;
  const CudaFloorOperands& operands_;
  CudaGemmTypes types_;
  DeviceBuffer workspace_;
  cublaslt::OwnedDesc desc_;
  cublaslt::OwnedLayout a_, b_, c_;
  cublaslt::Algo algo_{};
};

/// By cuBLAS's own choice of algorithm.
class CublasFloorProduct final : public CudaFloorProduct {
 public:
  CublasFloorProduct(const CudaContext& context, const CublasSession& session, const FloorWork& work,
                     const CudaFloorOperands& operands)
      : has_ex_(context.facts().compute_capability >= kFloorGemmExFrom),
        session_(session),
        operands_(operands),
        types_(exact_types(work.dtype)),
        m_(static_cast<int>(work.shape.m)),
        n_(static_cast<int>(work.shape.n)),
        k_(static_cast<int>(work.shape.k)) {
    const int status = !has_ex_ && work.dtype != DType::fp32 ? cublas::kNotSupported : run();
    if (status != cublas::kSuccess)
      throw Error(ErrorCode::unsupported,
                  fmt::format("cuBLAS {} has no {} matrix product for a verified run ({})",
                              session.library.version.text(), to_name(work.dtype), cublas::status_name(status)),
                  status);
    context.synchronize();
  }

  void enqueue() override { cublas::check(session_.library.api, run(), has_ex_ ? "cublasGemmEx" : "cublasSgemm_v2"); }

 private:
  [[nodiscard]] int run() const {
    const cublas::Api& api = session_.library.api;
    const void *one = one_of(types_.scale_type), *zero = zero_of(types_.scale_type);
    if (has_ex_)
      return api.cublasGemmEx(session_.handle.get(), cublas::kTranspose, cublas::kNoTranspose, n_, m_, k_, one,
                              operands_.b.pointer(), types_.input_type, k_, operands_.a.pointer(), types_.input_type,
                              k_, zero, operands_.c.pointer(), types_.output_type, n_, types_.compute_type,
                              cublas::kGemmDefault);
    return api.cublasSgemm_v2(session_.handle.get(), cublas::kTranspose, cublas::kNoTranspose, n_, m_, k_,
                              static_cast<const float*>(one), static_cast<const float*>(operands_.b.pointer()), k_,
                              static_cast<const float*>(operands_.a.pointer()), k_, static_cast<const float*>(zero),
                              static_cast<float*>(operands_.c.pointer()), n_);
  }

  bool has_ex_;
  const CublasSession& session_;
  const CudaFloorOperands& operands_;
  CudaGemmTypes types_;
  int m_, n_, k_;
};

}  // namespace

CudaFloorFormat cuda_floor_format(DType dtype) {
  switch (dtype) {
    case DType::fp32:
    case DType::tf32: return {kernels::ElementFormat::fp32, false};
    case DType::fp16: return {kernels::ElementFormat::fp16, false};
    case DType::bf16: return {kernels::ElementFormat::bf16, false};
    case DType::int8: return {kernels::ElementFormat::int8, true};
    default: throw Error(ErrorCode::unsupported, fmt::format("a GPU does no verified run in {}", to_name(dtype)));
  }
}

std::unique_ptr<CudaFloorProduct> make_cuda_floor_product(CudaContext& context, const CudaSelection& selection,
                                                          CudaFloorLibraries& libraries, const FloorWork& work,
                                                          const CudaFloorOperands& operands) {
  if (selection.cublaslt) {
    try {
      if (!libraries.cublaslt) libraries.cublaslt = std::make_shared<CublasLtSession>(*selection.cublaslt);
      return std::make_unique<LtFloorProduct>(context, *libraries.cublaslt, work, operands);
    } catch (const Error& error) {
      // cuBLAS has products that cuBLASLt lacks.
      if (error.code() != ErrorCode::unsupported || !selection.cublas) throw;
    }
  }
  if (!selection.cublas) throw Error(ErrorCode::unsupported, "there is no cuBLAS for this GPU");
  if (!libraries.cublas) libraries.cublas = std::make_shared<CublasSession>(context, *selection.cublas);
  return std::make_unique<CublasFloorProduct>(context, *libraries.cublas, work, operands);
}

}  // namespace gpuassay
