// Convolution through cuDNN, forward and both gradients: engines of its backend API and legacy algorithms in every
// tensor format worth trying, the fastest in a short trial.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "agent/backends/cuda_conv_types.h"
#include "agent/backends/cuda_operation.h"
#include "agent/backends/cuda_trial.h"
#include "agent/backends/cudnn_graph.h"
#include "agent/backends/cudnn_legacy.h"
#include "agent/backends/cudnn_session.h"
#include "agent/workloads/conv_reference.h"
#include "core/enums.h"
#include "core/error.h"

namespace gpuassay {
namespace {

/// How many engine configurations are timed in the likeliest tensor format and in another, which a few layers' weight
/// gradients prefer. On an H200 twice as many, or those of a second heuristic, made no layer of ResNet-50 faster.
constexpr std::size_t kEnginesOfFirstFormat = 6, kEnginesOfOtherFormat = 3;
/// Beside engines, which have the same kernels and more, that many legacy algorithms are timed; without engines all.
constexpr std::size_t kLegacyBesideEngines = 1;

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
    return fmt::format("cudnn {} {}", chosen_.name, chosen_.problem->format == cudnn::kNhwc ? "NHWC" : "NCHW");
  }

 protected:
  void enqueue() override { cudnn::check(api(), chosen_.queue(), "cudnnConvolution"); }

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

  [[nodiscard]] CudnnConvProblem problem(int format) const {
    return {v_,
            context().facts().compute_capability,
            format,
            types_.data_type,
            types_.math_type,
            x_.buffer.pointer(),
            w_.buffer.pointer(),
            y_.buffer.pointer()};
  }

  /// `refusal` becomes what cuDNN answers to a format that is impossible here, which leaves the others.
  [[nodiscard]] std::vector<CudnnConvCandidate> candidates(int& refusal) const {
    constexpr std::size_t kAll = SIZE_MAX;
    std::vector<CudnnConvCandidate> all;
    for (const CudnnConvProblem& each : problems_) {
      std::vector<CudnnConvCandidate> engines =
          graph_conv_candidates(*library_, each, all.empty() ? kEnginesOfFirstFormat : kEnginesOfOtherFormat);
      const bool engines_exist = !engines.empty() || !all.empty();
      LegacyConvCandidates legacy =
          legacy_conv_candidates(*library_, each, engines_exist ? kLegacyBesideEngines : kAll);
      if (legacy.status != cudnn::kSuccess) refusal = legacy.status;
      std::move(engines.begin(), engines.end(), std::back_inserter(all));
      std::move(legacy.candidates.begin(), legacy.candidates.end(), std::back_inserter(all));
    }
    return all;
  }

  void choose() {
    int refusal = cudnn::kSuccess;
    const std::vector<CudnnConvCandidate> all = candidates(refusal);
    if (all.empty() && cudnn::classify(refusal) == cudnn::StatusKind::failed) {
      cudnn::check(api(), refusal, "cudnnFindConvolutionAlgorithmEx");
    }
    const auto fastest =
        fastest_cuda_candidate(context(), all.size(), [&](std::size_t i) { return all[i].queue() == cudnn::kSuccess; });
    if (!fastest) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("cuDNN {} has no {} {} convolution of this shape for this GPU; nothing to do",
                              library_->library.version.text(), to_name(v_.dtype), to_name(v_.direction)));
    }
    chosen_ = all[*fastest];
  }

  std::shared_ptr<CudnnSession> library_;
  ConvParams v_;
  CudaConvTypes types_;
  CudaTensor x_, w_, y_;
  std::vector<CudnnConvProblem> problems_;
  CudnnConvCandidate chosen_;
};

}  // namespace

std::unique_ptr<Operation> prepare_cudnn_conv(std::shared_ptr<CudaContext> context,
                                              std::shared_ptr<CudnnSession> library, const ConvParams& params) {
  return std::make_unique<CudnnConv>(std::move(context), std::move(library), params);
}

}  // namespace gpuassay
