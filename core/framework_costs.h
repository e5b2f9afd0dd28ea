// What do PyTorch's kernels cost beside what the device could do? Fitted on networks that ran there; docs/SCORE.md has
// the measurements and how far off they leave a prediction. Pure.
#pragma once

#include <array>

#include "core/model.h"
#include "core/workload.h"

namespace gpuassay {

/// Kernels outside products, convolutions and attention: how much longer than the triad they take for their bytes.
/// `by_element`: their time follows from how many elements there are, as if each had 4 bytes.
struct TrafficCost {
  double over_triad = 1;
  bool by_element = false;
};

struct FrameworkCosts {
  /// By TrafficKind.
  std::array<TrafficCost, EnumNames<TrafficKind>::values.size()> traffic;
  /// The shortest kernel there is, beside its bytes, and the pause before every kernel: as multiples of an empty kernel
  /// of a CUDA graph.
  double shortest_kernel = 0, pause = 0;
  /// A convolution in a network over the same one measured alone: helpers for layouts and workspaces, and a choice of
  /// algorithms that is not ours.
  double convolution = 1;
  /// Of the best rate of products in the same type, what attention reaches: 16 bits forward and backward, tf32, fp32.
  double attention_half_forward = 1, attention_half_backward = 1, attention_tf32 = 1, attention_fp32 = 1;
  /// Its keys and values come slower than the triad's arrays.
  double attention_over_triad = 1;
  /// How far off a prediction may be for all that is not in this model.
  double spread = 0;

  [[nodiscard]] const TrafficCost& of(TrafficKind kind) const { return traffic.at(static_cast<std::size_t>(kind)); }
};

/// Of GPUs, or of CPUs.
const FrameworkCosts& framework_costs(DeviceKind kind);

}  // namespace gpuassay
