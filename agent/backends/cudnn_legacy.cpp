#include "agent/backends/cudnn_legacy.h"

#include <algorithm>
#include <memory>

#include "agent/backends/cuda_conv_types.h"

namespace gpuassay {
namespace {

/// Each algorithm may come once per math type.
constexpr int kMostAnswers = 2 * cudnn::kForwardAlgos;

/// The descriptors of one problem.
class LegacyConv {
 public:
  LegacyConv(const CudnnSession& session, const CudnnConvProblem& problem)
      : session_(session),
        problem_(problem),
        x_(cudnn::make_tensor(api(), problem.format, problem.data_type, v().n, v().c, v().h, v().w)),
        y_(cudnn::make_tensor(api(), problem.format, problem.data_type, v().n, v().k, v().p(), v().q())),
        w_(cudnn::make_filter(api(), problem.format, problem.data_type, v().k, v().c, v().r, v().s)),
        convolution_(cudnn::make_convolution(api(), v().pad, v().stride, cudnn::kFloat, problem.math_type)) {}

  /// cuDNN's own ranking, best expected first, which runs nothing; empty when it gives none.
  [[nodiscard]] std::vector<cudnn::AlgoPerf> ranked() const {
    std::vector<cudnn::AlgoPerf> answers(kMostAnswers);
    int returned = 0;
    if (get(answers.data(), returned) != cudnn::kSuccess) returned = 0;
    return usable(answers, returned);
  }

  /// Its search, which runs every algorithm once on the tensors. That run also loads the algorithm's kernels, so
  /// neither the times nor the order say which is the fastest.
  [[nodiscard]] std::vector<cudnn::AlgoPerf> found(int& status) const {
    std::vector<cudnn::AlgoPerf> answers(kMostAnswers);
    int returned = 0;
    status = find(answers.data(), returned);
    return usable(answers, status == cudnn::kSuccess ? returned : 0);
  }

  [[nodiscard]] int run(int algo, int math_type) const {
    constexpr float kOne = 1, kZero = 0;
    // The descriptor must say the math type that the algorithm was found with.
    if (const int status = api().cudnnSetConvolutionMathType(convolution_.get(), math_type)) return status;
    void *x = problem_.x, *w = problem_.w, *y = problem_.y;
    switch (v().direction) {
      case ConvDirection::forward:
        return api().cudnnConvolutionForward(handle(), &kOne, x_.get(), x, w_.get(), w, convolution_.get(), algo,
                                             space(), space_bytes(), &kZero, y_.get(), y);
      case ConvDirection::backward_data:
        return api().cudnnConvolutionBackwardData(handle(), &kOne, w_.get(), w, y_.get(), y, convolution_.get(), algo,
                                                  space(), space_bytes(), &kZero, x_.get(), x);
      case ConvDirection::backward_weights:
        return api().cudnnConvolutionBackwardFilter(handle(), &kOne, x_.get(), x, y_.get(), y, convolution_.get(), algo,
                                                    space(), space_bytes(), &kZero, w_.get(), w);
    }
    return cudnn::kSuccess;
  }

 private:
  [[nodiscard]] const cudnn::Api& api() const { return session_.library.api; }
  [[nodiscard]] const ConvParams& v() const { return problem_.params; }
  [[nodiscard]] cudnn::Handle handle() const { return session_.handle.get(); }
  [[nodiscard]] void* space() const { return session_.workspace.pointer(); }
  [[nodiscard]] std::size_t space_bytes() const { return session_.workspace.size_bytes(); }

  int get(cudnn::AlgoPerf* answers, int& returned) const {
    constexpr int kNotExported = -1;
    switch (v().direction) {
      case ConvDirection::forward:
        if (api().cudnnGetConvolutionForwardAlgorithm_v7 == nullptr) return kNotExported;
        return api().cudnnGetConvolutionForwardAlgorithm_v7(handle(), x_.get(), w_.get(), convolution_.get(), y_.get(),
                                                            kMostAnswers, &returned, answers);
      case ConvDirection::backward_data:
        if (api().cudnnGetConvolutionBackwardDataAlgorithm_v7 == nullptr) return kNotExported;
        return api().cudnnGetConvolutionBackwardDataAlgorithm_v7(handle(), w_.get(), y_.get(), convolution_.get(),
                                                                 x_.get(), kMostAnswers, &returned, answers);
      case ConvDirection::backward_weights:
        if (api().cudnnGetConvolutionBackwardFilterAlgorithm_v7 == nullptr) return kNotExported;
        return api().cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle(), x_.get(), y_.get(), convolution_.get(),
                                                                   w_.get(), kMostAnswers, &returned, answers);
    }
    return cudnn::kSuccess;
  }

  int find(cudnn::AlgoPerf* answers, int& returned) const {
    void *x = problem_.x, *w = problem_.w, *y = problem_.y;
    switch (v().direction) {
      case ConvDirection::forward:
        return api().cudnnFindConvolutionForwardAlgorithmEx(handle(), x_.get(), x, w_.get(), w, convolution_.get(),
                                                            y_.get(), y, kMostAnswers, &returned, answers, space(),
                                                            space_bytes());
      case ConvDirection::backward_data:
        return api().cudnnFindConvolutionBackwardDataAlgorithmEx(handle(), w_.get(), w, y_.get(), y, convolution_.get(),
                                                                 x_.get(), x, kMostAnswers, &returned, answers, space(),
                                                                 space_bytes());
      case ConvDirection::backward_weights:
        return api().cudnnFindConvolutionBackwardFilterAlgorithmEx(handle(), x_.get(), x, y_.get(), y,
                                                                   convolution_.get(), w_.get(), w, kMostAnswers,
                                                                   &returned, answers, space(), space_bytes());
    }
    return cudnn::kSuccess;
  }

  /// fp32 must not be computed in tf32 behind our back: from compute capability 8.0 on only plain multiply-add counts.
  [[nodiscard]] bool keeps_precision(int math_type) const {
    if (v().dtype != DType::fp32) return true;
    const bool default_is_exact = problem_.compute_capability < 80;
    return math_type == cudnn::kFmaMath || (math_type == cudnn::kDefaultMath && default_is_exact);
  }

  [[nodiscard]] std::vector<cudnn::AlgoPerf> usable(const std::vector<cudnn::AlgoPerf>& answers, int returned) const {
    std::vector<cudnn::AlgoPerf> kept;
    for (int i = 0; i < returned; ++i) {
      const cudnn::AlgoPerf& answer = answers[static_cast<std::size_t>(i)];
      if (answer.status == cudnn::kSuccess && keeps_precision(answer.math_type) &&
          answer.workspace_bytes <= space_bytes()) {
        kept.push_back(answer);
      }
    }
    return kept;
  }

  const CudnnSession& session_;
  const CudnnConvProblem& problem_;
  cudnn::OwnedTensor x_, y_;
  cudnn::OwnedFilter w_;
  cudnn::OwnedConvolution convolution_;
};

}  // namespace

LegacyConvCandidates legacy_conv_candidates(const CudnnSession& session, const CudnnConvProblem& problem,
                                            std::size_t most) {
  LegacyConvCandidates result;
  const auto conv = std::make_shared<const LegacyConv>(session, problem);
  std::vector<cudnn::AlgoPerf> answers = conv->ranked();
  // A single candidate has no trial in which a refusal would show: let cuDNN run what there is. Not where few are
  // wanted beside others: running all may take a second.
  if (answers.size() < std::min<std::size_t>(2, most)) answers = conv->found(result.status);
  for (const cudnn::AlgoPerf& answer : answers) {
    if (result.candidates.size() == most) break;
    result.candidates.push_back({&problem, answer.algo,
                                 std::string(conv_algorithm_name(problem.params.direction, answer.algo)),
                                 [conv, answer] { return conv->run(answer.algo, answer.math_type); }});
  }
  return result;
}

}  // namespace gpuassay
