// Which algorithms does cuDNN have for a convolution, and what do they need? Numbers and conditions as in the tables of
// cudnnConvolution*Algo_t in NVIDIA's documentation; speeds are invented.
#include <array>

#include "tests/support/fake_gpu/convolution.h"

namespace gpuassay::fake {
namespace {

enum class Family { direct, precomputed, explicit_gemm, fft, winograd, nonfused, missing };

struct Kind {
  Family family;
  double speed;
  bool deterministic;
};

constexpr std::array<Kind, cudnn::kForwardAlgos> kForward{{{Family::direct, 0.55, true},
                                                           {Family::precomputed, 1.0, true},
                                                           {Family::explicit_gemm, 0.6, true},
                                                           {Family::missing, 0, true},
                                                           {Family::fft, 0.5, true},
                                                           {Family::fft, 0.65, true},
                                                           {Family::winograd, 1.5, true},
                                                           {Family::nonfused, 1.2, true}}};
constexpr std::array<Kind, cudnn::kBackwardDataAlgos> kBackwardData{{{Family::direct, 0.6, false},
                                                                     {Family::precomputed, 0.95, true},
                                                                     {Family::fft, 0.5, true},
                                                                     {Family::fft, 0.6, true},
                                                                     {Family::winograd, 1.4, true},
                                                                     {Family::nonfused, 1.1, true}}};
constexpr std::array<Kind, cudnn::kBackwardFilterAlgos> kBackwardFilter{{{Family::direct, 0.7, false},
                                                                         {Family::precomputed, 0.9, true},
                                                                         {Family::fft, 0.5, true},
                                                                         {Family::explicit_gemm, 0.75, false},
                                                                         {Family::missing, 0, true},
                                                                         {Family::nonfused, 1.05, true},
                                                                         {Family::fft, 0.55, true}}};

bool family_takes(Family family, const ConvolutionProblem& problem) {
  const Convolution& how = problem.how;
  const bool unit = how.stride_h == 1 && how.stride_w == 1 && how.dilation_h == 1 && how.dilation_w == 1;
  const bool three = problem.w.h == 3 && problem.w.w == 3;
  const bool channels_first = !problem.x.channels_last;
  switch (family) {
    case Family::direct: return channels_first || problem.direction != Direction::backward_filter;
    case Family::precomputed: return true;
    case Family::explicit_gemm: return channels_first && problem.x.data_type != cudnn::kBfloat16;
    case Family::fft:
      return channels_first && unit && problem.w.h > 1 && problem.w.w > 1 && problem.x.data_type != cudnn::kBfloat16 &&
             problem.x.data_type != cudnn::kDouble;
    case Family::winograd: return channels_first && unit && three && problem.x.data_type == cudnn::kFloat;
    case Family::nonfused:
      return channels_first && unit && three &&
             (problem.x.data_type == cudnn::kFloat || problem.x.data_type == cudnn::kHalf);
    case Family::missing: return false;
  }
  return false;
}

std::uint64_t workspace_of(Family family, const ConvolutionProblem& problem) {
  constexpr std::uint64_t kSmall = std::uint64_t{1} << 20;
  const std::uint64_t unrolled = problem.y.count() / static_cast<std::uint64_t>(problem.y.c) * problem.w.count() /
                                 static_cast<std::uint64_t>(problem.w.n) * tensor_element_bytes(problem.x.data_type);
  switch (family) {
    case Family::precomputed: return kSmall;
    case Family::explicit_gemm: return unrolled;
    case Family::fft: return 8 * (problem.x.count() + problem.w.count() + problem.y.count());
    case Family::nonfused: return 4 * (problem.x.bytes() + problem.y.bytes());
    default: return 0;
  }
}

}  // namespace

std::vector<ConvolutionAlgo> algorithms(const ConvolutionProblem& problem) {
  std::vector<ConvolutionAlgo> found;
  const auto add = [&](const Kind& kind) {
    ConvolutionAlgo algo;
    algo.algo = static_cast<int>(found.size());
    algo.supported = problem.how.groups == 1 && family_takes(kind.family, problem);
    algo.speed = kind.speed;
    algo.workspace_bytes = workspace_of(kind.family, problem);
    algo.deterministic = kind.deterministic;
    found.push_back(algo);
  };
  switch (problem.direction) {
    case Direction::forward:
      for (const Kind& kind : kForward) add(kind);
      break;
    case Direction::backward_data:
      for (const Kind& kind : kBackwardData) add(kind);
      break;
    case Direction::backward_filter:
      for (const Kind& kind : kBackwardFilter) add(kind);
      break;
  }
  return found;
}

}  // namespace gpuassay::fake
