// GEMM through cuBLASLt: the heuristics' candidates in both layouts of B, the fastest in a short trial.
#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "agent/backends/cublaslt_session.h"
#include "agent/backends/cuda_gemm_operands.h"
#include "agent/backends/cuda_operation.h"
#include "agent/backends/cuda_trial.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// Heuristic answers asked for per layout. The best one is among the first few nearly always.
constexpr int kRequested = 12;

/// What the product looks like in one layout. cuBLAS is column-major: it computes C^T = B^T A^T, so its first operand
/// is our B, its second our A, and all of them are our row-major matrices read by columns.
struct Problem {
  GemmLayout layout;
  cublaslt::OwnedDesc desc;
  cublaslt::OwnedLayout a, b, c;
};

struct LtCandidate {
  const Problem* problem;
  cublaslt::Algo algo;
  std::size_t workspace_bytes;
};

class CublasLtGemm final : public CudaOperation {
 public:
  CublasLtGemm(std::shared_ptr<CudaContext> context, std::shared_ptr<CublasLtSession> library, const GemmParams& params)
      : CudaOperation(std::move(context)),
        library_(std::move(library)),
        params_(params),
        types_(cuda_gemm_types(params.dtype)),
        operands_(this->context(), params, types_),
        workspace_(this->context().allocate(kLibraryWorkspaceBytes)) {
    if (params.dtype == DType::fp4) make_scales();
    if (!types_.transposed_only) problems_.push_back(problem(GemmLayout::plain));
    problems_.push_back(problem(GemmLayout::b_transposed));
    choose();
  }

  Verification verify() override { return operands_.verify(chosen_.problem->layout); }

  [[nodiscard]] std::string implementation() const override {
    return fmt::format("cublasLt {} {}", chosen_.problem->layout == GemmLayout::plain ? "NN" : "TN",
                       cublaslt::describe(api(), chosen_.algo));
  }

 protected:
  [[nodiscard]] std::int64_t turns() const override { return operands_.set_count(); }
  void enqueue() override { cublaslt::check(api(), run(chosen_), "cublasLtMatmul"); }

 private:
  [[nodiscard]] const cublaslt::Api& api() const { return library_->library.api; }

  Problem problem(GemmLayout layout) const {
    const bool transposed = layout == GemmLayout::b_transposed;
    const GemmParams& g = params_;
    Problem made{
        layout, cublaslt::make_desc(api(), types_.compute_type, types_.scale_type),
        cublaslt::make_layout(api(), types_.input_type, g.k, g.m, g.batch),
        cublaslt::make_layout(api(), types_.input_type, transposed ? g.k : g.n, transposed ? g.n : g.k, g.batch),
        cublaslt::make_layout(api(), types_.output_type, g.n, g.m, g.batch)};
    const auto operation = static_cast<std::int32_t>(transposed ? cublas::kTranspose : cublas::kNoTranspose);
    cublaslt::set(api(), made.desc.get(), cublaslt::kDescTransA, operation);
    if (scales_) {
      const std::int32_t mode = cublaslt::kScaleVec16UE4M3;
      const void* const scales = scales_->pointer();
      cublaslt::set(api(), made.desc.get(), cublaslt::kDescAScaleMode, mode);
      cublaslt::set(api(), made.desc.get(), cublaslt::kDescBScaleMode, mode);
      cublaslt::set(api(), made.desc.get(), cublaslt::kDescAScalePointer, scales);
      cublaslt::set(api(), made.desc.get(), cublaslt::kDescBScalePointer, scales);
    }
    return made;
  }

  /// One e4m3 factor per 16 elements along k, in tiles of 128 rows by 4 factors; all are 1, so both operands share
  /// them and their order does not matter.
  void make_scales() {
    constexpr std::int64_t kBlock = 16, kTileRows = 128, kTileFactors = 4;
    constexpr std::uint32_t kFourOnes = 0x38383838U;
    const auto round_up = [](std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; };
    const std::int64_t rows = round_up(std::max(params_.m, params_.n), kTileRows);
    const std::int64_t factors = round_up((params_.k + kBlock - 1) / kBlock, kTileFactors);
    scales_ = context().allocate(static_cast<std::size_t>(params_.batch * rows * factors));
    context().fill_words(*scales_, kFourOnes);
  }

  /// A product split along k must not add its parts in a 16-bit output: the result would be less exact than the dtype
  /// promises, and seem wrong.
  [[nodiscard]] bool sums_exactly(const cublaslt::Algo& algo) const {
    if (output_bytes(types_.output) > 2) return true;
    std::uint32_t scheme = cublaslt::kReductionNone;
    std::size_t written = 0;
    const int status = api().cublasLtMatmulAlgoConfigGetAttribute(&algo, cublaslt::kAlgoReductionScheme, &scheme,
                                                                  sizeof scheme, &written);
    return status != cublas::kSuccess || scheme == cublaslt::kReductionNone ||
           scheme == cublaslt::kReductionComputeType;
  }

  void add_candidates(const Problem& of, std::vector<LtCandidate>& candidates) const {
    const cublaslt::OwnedPreference preference = cublaslt::make_preference(api(), workspace_.size_bytes());
    std::vector<cublaslt::HeuristicResult> results(kRequested);
    int returned = 0;
    const int status =
        api().cublasLtMatmulAlgoGetHeuristic(library_->handle.get(), of.desc.get(), of.b.get(), of.a.get(), of.c.get(),
                                             of.c.get(), preference.get(), kRequested, results.data(), &returned);
    // A refusal of this layout is an answer: the other one may have algorithms.
    for (int i = 0; status == cublas::kSuccess && i < returned; ++i) {
      const cublaslt::HeuristicResult& result = results[static_cast<std::size_t>(i)];
      if (result.state != cublas::kSuccess || !sums_exactly(result.algo)) continue;
      candidates.push_back({&of, result.algo, result.workspace_bytes});
    }
  }

  /// The layouts' best guesses first, then their second ones, and so on.
  [[nodiscard]] std::vector<LtCandidate> candidates() const {
    std::vector<std::vector<LtCandidate>> by_layout(problems_.size());
    std::size_t longest = 0;
    for (std::size_t i = 0; i < problems_.size(); ++i) {
      add_candidates(problems_[i], by_layout[i]);
      longest = std::max(longest, by_layout[i].size());
    }
    std::vector<LtCandidate> all;
    for (std::size_t rank = 0; rank < longest; ++rank) {
      for (const auto& list : by_layout) {
        if (rank < list.size()) all.push_back(list[rank]);
      }
    }
    return all;
  }

  void choose() {
    const std::vector<LtCandidate> all = candidates();
    const auto fastest =
        fastest_cuda_candidate(context(), all.size(), [&](std::size_t i) { return run(all[i]) == cublas::kSuccess; });
    if (!fastest) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("cuBLASLt {} has no {} matrix product of this shape for this GPU; nothing to do",
                              library_->library.version.text(), to_name(params_.dtype)));
    }
    chosen_ = all[*fastest];
  }

  int run(const LtCandidate& candidate) {
    CudaGemmOperands::Set& set = operands_.next();
    const Problem& of = *candidate.problem;
    return api().cublasLtMatmul(library_->handle.get(), of.desc.get(), one_of(types_.scale_type),
                                set.b.buffer.pointer(), of.b.get(), set.a.buffer.pointer(), of.a.get(),
                                zero_of(types_.scale_type), set.c.pointer(), of.c.get(), set.c.pointer(), of.c.get(),
                                &candidate.algo, workspace_.pointer(), workspace_.size_bytes(), context().stream());
  }

  std::shared_ptr<CublasLtSession> library_;
  GemmParams params_;
  CudaGemmTypes types_;
  CudaGemmOperands operands_;
  DeviceBuffer workspace_;
  std::optional<DeviceBuffer> scales_;
  std::vector<Problem> problems_;
  LtCandidate chosen_{};
};

}  // namespace

std::unique_ptr<Operation> prepare_cublaslt_gemm(std::shared_ptr<CudaContext> context,
                                                 std::shared_ptr<CublasLtSession> library, const GemmParams& params) {
  return std::make_unique<CublasLtGemm>(std::move(context), std::move(library), params);
}

}  // namespace gpuassay
