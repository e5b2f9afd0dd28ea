// Numbers, knobs and speeds are invented; each kind of engine that the agent must leave out is there, and faster than
// those it may take.
#include "tests/support/fake_gpu/convolution_engines.h"

#include <algorithm>

namespace gpuassay::fake {
namespace {

constexpr int kTile = 2, kSplit = 12;
constexpr std::uint64_t kSomeWorkspace = std::uint64_t{1} << 20, kFarTooMuch = std::uint64_t{1} << 40;

/// What both heuristics think of, for data that tensor cores take.
ConvolutionEngine on_tensor_cores(std::int64_t tile, std::int64_t split, double speed) {
  ConvolutionEngine engine;
  engine.index = 6;
  engine.knobs = {{kTile, tile}, {kSplit, split}};
  engine.numerical_notes = {cudnn::kNoteTensorCore};
  engine.speed = speed;
  engine.workspace_bytes = kSomeWorkspace;
  return engine;
}

ConvolutionEngine on_lanes(std::int64_t tile, double speed) {
  ConvolutionEngine engine;
  engine.index = 28;
  engine.knobs = {{kTile, tile}};
  engine.speed = speed;
  return engine;
}

bool takes_winograd(const ConvolutionProblem& problem) {
  const Convolution& how = problem.how;
  return !problem.x.channels_last && problem.x.data_type == cudnn::kFloat && problem.w.h == 3 && problem.w.w == 3 &&
         how.stride_h == 1 && how.stride_w == 1 && how.dilation_h == 1 && how.dilation_w == 1;
}

std::vector<ConvolutionEngine> by_mode_a(const ConvolutionProblem& problem, bool tensor_cores) {
  std::vector<ConvolutionEngine> all;
  ConvolutionEngine compiled_later = on_lanes(1, 1.5);
  compiled_later.index = 57;
  compiled_later.behavior_notes = {cudnn::kNoteRuntimeCompilation};
  all.push_back(compiled_later);
  if (tensor_cores) {
    all.push_back(on_tensor_cores(9, 1, 1.12));
    ConvolutionEngine impossible = on_tensor_cores(11, 4, 2);
    impossible.plan_is_possible = false;
    all.push_back(impossible);
    ConvolutionEngine hungry = on_tensor_cores(3, 8, 2);
    hungry.workspace_bytes = kFarTooMuch;
    all.push_back(hungry);
    ConvolutionEngine careless = on_tensor_cores(9, 2, 3);
    careless.numerical_notes.push_back(problem.x.data_type == cudnn::kFloat ? cudnn::kNoteDownConvertInputs
                                                                            : cudnn::kNoteReducedPrecisionReduction);
    all.push_back(careless);
  }
  all.push_back(on_lanes(5, 0.98));
  // The fastest is not the one named first.
  if (tensor_cores) all.push_back(on_tensor_cores(13, 2, 1.18));
  if (takes_winograd(problem)) {
    ConvolutionEngine winograd = on_lanes(4, 1.45);
    winograd.index = 29;
    winograd.numerical_notes = {cudnn::kNoteWinograd, cudnn::kNoteWinogradTile4x4};
    all.push_back(winograd);
  }
  return all;
}

}  // namespace

bool ConvolutionEngine::has_note(int numerical_note) const {
  return std::find(numerical_notes.begin(), numerical_notes.end(), numerical_note) != numerical_notes.end();
}

std::vector<ConvolutionEngine> engines(const ConvolutionProblem& problem, const GpuProfile& gpu, int heuristic_mode) {
  constexpr int kMaxwell = 50, kVolta = 70, kAmpere = 80;
  if (gpu.capability() < kMaxwell || problem.x.data_type == cudnn::kDouble) return {};
  const bool tensor_cores = gpu.capability() >= (problem.x.data_type == cudnn::kFloat ? kAmpere : kVolta);
  switch (heuristic_mode) {
    case cudnn::kModeInstant:
    case cudnn::kModeA: return by_mode_a(problem, tensor_cores);
    default: return {on_lanes(0, 0.4)};
  }
}

}  // namespace gpuassay::fake
