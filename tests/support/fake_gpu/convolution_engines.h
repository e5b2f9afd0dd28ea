// Which engine configurations do the heuristics of cuDNN's backend API name for a convolution, and what is each like?
#pragma once

#include <cstdint>
#include <vector>

#include "tests/support/fake_gpu/convolution.h"

namespace gpuassay::fake {

struct EngineKnob {
  int type = 0;
  std::int64_t value = 0;
};

struct ConvolutionEngine {
  std::int64_t index = 0;
  std::vector<EngineKnob> knobs;
  std::vector<int> numerical_notes, behavior_notes;
  bool plan_is_possible = true;  ///< the heuristics name configurations that turn out impossible
  double speed = 0;              ///< as ConvolutionAlgo's
  std::uint64_t workspace_bytes = 0;

  [[nodiscard]] bool has_note(int numerical_note) const;
};

/// In the order in which the heuristic names them, which is not that of their speed. None on Kepler.
std::vector<ConvolutionEngine> engines(const ConvolutionProblem& problem, const GpuProfile& gpu, int heuristic_mode);

}  // namespace gpuassay::fake
