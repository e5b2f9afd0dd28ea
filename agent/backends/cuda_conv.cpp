// Convolution through cuDNN's legacy calls, forward and both gradients: every algorithm that cuDNN's own search finds
// within our workspace, the best ones in a short trial.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "agent/backends/cuda_conv_types.h"
#include "agent/backends/cuda_operation.h"
#include "agent/backends/cuda_trial.h"
#include "agent/backends/cudnn_session.h"
#include "agent/workloads/conv_reference.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// cuDNN's search runs each algorithm once; that many of the best are timed again.
constexpr std::size_t kKeptPerFormat = 3;

/// The descriptors of one tensor format. Memory needs none: NCHW and NHWC are views of the same numbers.
struct ConvProblem {
  int format;
  cudnn::OwnedTensor x, y;
  cudnn::OwnedFilter w;
  cudnn::OwnedConvolution convolution;
};

struct ConvCandidate {
  const ConvProblem* problem = nullptr;
  int algo = 0;
  int math_type = 0;  ///< the one it was found with; the descriptor must say the same when it runs
};

class CudnnConv final : public CudaOperation {
 public:
  CudnnConv(std::shared_ptr<CudaContext> context, std::shared_ptr<CudnnSession> library, const ConvParams& params)
      : CudaOperation(std::move(context)),
        library_(std::move(library)),
        v_(params),
        types_(cuda_conv_types(params.dtype, this->context().facts().compute_capability)) {
    const ConvSizes sizes = conv_sizes(v_);
    x_ = filled_tensor(this->context(), types_.element, sizes.source);
    w_ = filled_tensor(this->context(), types_.element, sizes.weights);
    y_ = filled_tensor(this->context(), types_.element, sizes.destination);
    for (const int format : types_.formats) problems_.push_back(problem(format));
    choose();
    poison_output();
  }

  Verification verify() override {
    const bool nhwc = chosen_.problem->format == cudnn::kNhwc;
    const GeneratedTensor x = x_.generated({v_.c, v_.h * v_.w, nhwc}), w = w_.generated({v_.c, v_.r * v_.s, nhwc}),
                          y = y_.generated({v_.k, v_.p() * v_.q(), nhwc});
    OutputCheck check(conv_output_rule(v_, chosen_.algo));
    switch (v_.direction) {
      case ConvDirection::forward:
        compare(check, y.layout(), sampled_positions(conv_output_size(v_), conv_border_positions(v_)),
                [&](std::int64_t at) { return conv_forward_at(v_, x, w, at); });
        break;
      case ConvDirection::backward_data:
        compare(check, x.layout(), sampled_positions(conv_output_size(v_), conv_border_positions(v_)),
                [&](std::int64_t at) { return conv_backward_data_at(v_, y, w, at); });
        break;
      case ConvDirection::backward_weights: {
        const PlaneCache x_planes(x, v_.h * v_.w), y_planes(y, v_.p() * v_.q());
        compare(check, w.layout(), conv_weight_positions(v_),
                [&](std::int64_t at) { return conv_backward_weights_at(v_, x_planes, y_planes, at); });
        break;
      }
    }
    poison_output();
    return check.result();
  }

  [[nodiscard]] std::string implementation() const override {
    return fmt::format("cudnn {} {}", conv_algorithm_name(v_.direction, chosen_.algo),
                       chosen_.problem->format == cudnn::kNhwc ? "NHWC" : "NCHW");
  }

 protected:
  void enqueue() override { cudnn::check(api(), run(chosen_), "cudnnConvolution"); }

 private:
  [[nodiscard]] const cudnn::Api& api() const { return library_->library.api; }

  [[nodiscard]] const DeviceBuffer& output() const {
    return v_.direction == ConvDirection::forward         ? y_.buffer
           : v_.direction == ConvDirection::backward_data ? x_.buffer
                                                          : w_.buffer;
  }
  void poison_output() { context().fill_words(output(), kPoison); }

  template <class Reference>
  void compare(OutputCheck& check, const InnerLayout& layout, const std::vector<std::int64_t>& positions,
               const Reference& reference_at) {
    std::vector<std::int64_t> places(positions.size());
    std::transform(positions.begin(), positions.end(), places.begin(),
                   [&](std::int64_t position) { return layout.storage_index(position); });
    const std::vector<std::uint64_t> bits = context().sample(output(), output_bytes(types_.output), places);
    for (std::size_t i = 0; i < positions.size(); ++i) {
      check.compare(output_value(types_.output, bits[i]), reference_at(positions[i]));
    }
  }

  [[nodiscard]] ConvProblem problem(int format) const {
    return {format, cudnn::make_tensor(api(), format, types_.data_type, v_.n, v_.c, v_.h, v_.w),
            cudnn::make_tensor(api(), format, types_.data_type, v_.n, v_.k, v_.p(), v_.q()),
            cudnn::make_filter(api(), format, types_.data_type, v_.k, v_.c, v_.r, v_.s),
            cudnn::make_convolution(api(), v_.pad, v_.stride, cudnn::kFloat, types_.math_type)};
  }

  int find(const ConvProblem& of, std::vector<cudnn::AlgoPerf>& results, int& returned) {
    const auto requested = static_cast<int>(results.size());
    auto* const handle = library_->handle.get();
    void *x = x_.buffer.pointer(), *w = w_.buffer.pointer(), *y = y_.buffer.pointer();
    void* space = library_->workspace.pointer();
    const std::size_t space_bytes = library_->workspace.size_bytes();
    switch (v_.direction) {
      case ConvDirection::forward:
        return api().cudnnFindConvolutionForwardAlgorithmEx(handle, of.x.get(), x, of.w.get(), w, of.convolution.get(),
                                                            of.y.get(), y, requested, &returned, results.data(), space,
                                                            space_bytes);
      case ConvDirection::backward_data:
        return api().cudnnFindConvolutionBackwardDataAlgorithmEx(handle, of.w.get(), w, of.y.get(), y,
                                                                 of.convolution.get(), of.x.get(), x, requested,
                                                                 &returned, results.data(), space, space_bytes);
      case ConvDirection::backward_weights:
        return api().cudnnFindConvolutionBackwardFilterAlgorithmEx(handle, of.x.get(), x, of.y.get(), y,
                                                                   of.convolution.get(), of.w.get(), w, requested,
                                                                   &returned, results.data(), space, space_bytes);
    }
    return cudnn::kSuccess;
  }

  /// fp32 must not be computed in tf32 behind our back: from compute capability 8.0 on only plain multiply-add counts.
  [[nodiscard]] bool keeps_precision(int math_type) const {
    if (v_.dtype != DType::fp32) return true;
    const bool default_is_exact = context().facts().compute_capability < 80;
    return math_type == cudnn::kFmaMath || (math_type == cudnn::kDefaultMath && default_is_exact);
  }

  /// Returns cuDNN's status: a format that is impossible here leaves the others.
  int add_candidates(const ConvProblem& of, std::vector<ConvCandidate>& candidates) {
    // Each algorithm may come once per math type.
    std::vector<cudnn::AlgoPerf> results(std::size_t{2} * cudnn::kForwardAlgos);
    int returned = 0;
    const int status = find(of, results, returned);
    if (status != cudnn::kSuccess) return status;
    std::size_t kept = 0;
    for (int i = 0; i < returned && kept < kKeptPerFormat; ++i) {
      const cudnn::AlgoPerf& result = results[static_cast<std::size_t>(i)];
      if (result.status != cudnn::kSuccess || !keeps_precision(result.math_type) ||
          result.workspace_bytes > library_->workspace.size_bytes()) {
        continue;
      }
      candidates.push_back({&of, result.algo, result.math_type});
      ++kept;
    }
    return status;
  }

  void choose() {
    std::vector<ConvCandidate> candidates;
    int refusal = cudnn::kSuccess;
    for (const ConvProblem& each : problems_) {
      if (const int status = add_candidates(each, candidates); status != cudnn::kSuccess) refusal = status;
    }
    if (candidates.empty() && cudnn::classify(refusal) == cudnn::StatusKind::failed) {
      cudnn::check(api(), refusal, "cudnnFindConvolutionAlgorithmEx");
    }
    const auto fastest = fastest_cuda_candidate(context(), candidates.size(),
                                                [&](std::size_t i) { return run(candidates[i]) == cudnn::kSuccess; });
    if (!fastest) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("cuDNN {} has no {} {} convolution of this shape for this GPU; nothing to do",
                              library_->library.version.text(), to_name(v_.dtype), to_name(v_.direction)));
    }
    chosen_ = candidates[*fastest];
  }

  int run(const ConvCandidate& candidate) {
    constexpr float kOne = 1, kZero = 0;
    const ConvProblem& of = *candidate.problem;
    if (const int status = api().cudnnSetConvolutionMathType(of.convolution.get(), candidate.math_type)) return status;
    auto* const handle = library_->handle.get();
    void *x = x_.buffer.pointer(), *w = w_.buffer.pointer(), *y = y_.buffer.pointer();
    void* space = library_->workspace.pointer();
    const std::size_t space_bytes = library_->workspace.size_bytes();
    switch (v_.direction) {
      case ConvDirection::forward:
        return api().cudnnConvolutionForward(handle, &kOne, of.x.get(), x, of.w.get(), w, of.convolution.get(),
                                             candidate.algo, space, space_bytes, &kZero, of.y.get(), y);
      case ConvDirection::backward_data:
        return api().cudnnConvolutionBackwardData(handle, &kOne, of.w.get(), w, of.y.get(), y, of.convolution.get(),
                                                  candidate.algo, space, space_bytes, &kZero, of.x.get(), x);
      case ConvDirection::backward_weights:
        return api().cudnnConvolutionBackwardFilter(handle, &kOne, of.x.get(), x, of.y.get(), y, of.convolution.get(),
                                                    candidate.algo, space, space_bytes, &kZero, of.w.get(), w);
    }
    return cudnn::kSuccess;
  }

  std::shared_ptr<CudnnSession> library_;
  ConvParams v_;
  CudaConvTypes types_;
  CudaTensor x_, w_, y_;
  std::vector<ConvProblem> problems_;
  ConvCandidate chosen_;
};

}  // namespace

std::unique_ptr<Operation> prepare_cudnn_conv(std::shared_ptr<CudaContext> context,
                                              std::shared_ptr<CudnnSession> library, const ConvParams& params) {
  return std::make_unique<CudnnConv>(std::move(context), std::move(library), params);
}

}  // namespace gpuassay
