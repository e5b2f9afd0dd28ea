// GEMM through cuBLAS proper, for GPUs on which cuBLASLt is not right (Kepler) and images that lack it.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "agent/backends/cublas_session.h"
#include "agent/backends/cuda_gemm_operands.h"
#include "agent/backends/cuda_operation.h"
#include "agent/backends/cuda_trial.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// GemmEx is refused below this compute capability, whatever the types.
constexpr int kGemmExFrom = 50;

class CublasGemm final : public CudaOperation {
 public:
  CublasGemm(std::shared_ptr<CudaContext> context, std::shared_ptr<CublasSession> library, const GemmParams& params)
      : CudaOperation(std::move(context)),
        library_(std::move(library)),
        params_(params),
        types_(cuda_gemm_types(params.dtype)),
        operands_(this->context(), params, types_) {
    choose();
  }

  Verification verify() override { return operands_.verify(layout_); }

  [[nodiscard]] std::string implementation() const override {
    return fmt::format("cublas {} {}", call_name(), layout_ == GemmLayout::plain ? "NN" : "TN");
  }

 protected:
  [[nodiscard]] std::int64_t turns() const override { return operands_.set_count(); }
  void enqueue() override { cublas::check(api(), run(layout_), call_name()); }

 private:
  [[nodiscard]] const cublas::Api& api() const { return library_->library.api; }
  [[nodiscard]] bool ex() const { return context().facts().compute_capability >= kGemmExFrom; }

  [[nodiscard]] const char* call_name() const {
    if (ex()) return params_.batch > 1 ? "cublasGemmStridedBatchedEx" : "cublasGemmEx";
    if (params_.dtype == DType::fp64) return params_.batch > 1 ? "cublasDgemmStridedBatched" : "cublasDgemm_v2";
    return params_.batch > 1 ? "cublasSgemmStridedBatched" : "cublasSgemm_v2";
  }

  void choose() {
    constexpr std::array<GemmLayout, 2> kLayouts{GemmLayout::plain, GemmLayout::b_transposed};
    int refusal = cublas::kSuccess;
    const auto fastest = fastest_cuda_candidate(context(), kLayouts.size(), [&](std::size_t i) {
      const int status = run(kLayouts[i]);
      if (status != cublas::kSuccess) refusal = status;
      return status == cublas::kSuccess;
    });
    if (!fastest) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("cuBLAS {} has no {} matrix product of this shape for this GPU ({}); nothing to do",
                              library_->library.version.text(), to_name(params_.dtype), cublas::status_name(refusal)),
                  refusal);
    }
    layout_ = kLayouts[*fastest];
  }

  /// As in cuBLASLt, column-major C^T = B^T A^T: our B comes first.
  int run(GemmLayout layout) {
    CudaGemmOperands::Set& set = operands_.next();
    const bool transposed = layout == GemmLayout::b_transposed;
    const int operation = transposed ? cublas::kTranspose : cublas::kNoTranspose;
    const int m = static_cast<int>(params_.m), n = static_cast<int>(params_.n), k = static_cast<int>(params_.k);
    const int batch = static_cast<int>(params_.batch);
    const int ldb = transposed ? k : n;
    const long long stride_a = params_.m * params_.k, stride_b = params_.k * params_.n,
                    stride_c = params_.m * params_.n;
    const void *b = set.b.buffer.pointer(), *a = set.a.buffer.pointer();
    void* c = set.c.pointer();
    const void *one = one_of(types_.scale_type), *zero = zero_of(types_.scale_type);
    auto* const handle = library_->handle.get();
    constexpr int kPlain = cublas::kNoTranspose;
    if (ex() && batch > 1) {
      return api().cublasGemmStridedBatchedEx(handle, operation, kPlain, n, m, k, one, b, types_.input_type, ldb,
                                              stride_b, a, types_.input_type, k, stride_a, zero, c, types_.output_type,
                                              n, stride_c, batch, types_.compute_type, cublas::kGemmDefault);
    }
    if (ex()) {
      return api().cublasGemmEx(handle, operation, kPlain, n, m, k, one, b, types_.input_type, ldb, a,
                                types_.input_type, k, zero, c, types_.output_type, n, types_.compute_type,
                                cublas::kGemmDefault);
    }
    const auto typed = [&](auto* type, auto single, auto batched) {
      using T = std::remove_pointer_t<decltype(type)>;
      const auto* const alpha = static_cast<const T*>(one);
      const auto* const beta = static_cast<const T*>(zero);
      const auto *first = static_cast<const T*>(b), *second = static_cast<const T*>(a);
      if (batch > 1) {
        return batched(handle, operation, kPlain, n, m, k, alpha, first, ldb, stride_b, second, k, stride_a, beta,
                       static_cast<T*>(c), n, stride_c, batch);
      }
      return single(handle, operation, kPlain, n, m, k, alpha, first, ldb, second, k, beta, static_cast<T*>(c), n);
    };
    if (params_.dtype == DType::fp64) {
      return typed(static_cast<double*>(nullptr), api().cublasDgemm_v2, api().cublasDgemmStridedBatched);
    }
    if (params_.dtype == DType::fp32) {
      return typed(static_cast<float*>(nullptr), api().cublasSgemm_v2, api().cublasSgemmStridedBatched);
    }
    return cublas::kNotSupported;
  }

  std::shared_ptr<CublasSession> library_;
  GemmParams params_;
  CudaGemmTypes types_;
  CudaGemmOperands operands_;
  GemmLayout layout_ = GemmLayout::plain;
};

}  // namespace

std::unique_ptr<Operation> prepare_cublas_gemm(std::shared_ptr<CudaContext> context,
                                               std::shared_ptr<CublasSession> library, const GemmParams& params) {
  return std::make_unique<CublasGemm>(std::move(context), std::move(library), params);
}

}  // namespace gpuassay
