// What do PyTorch's kernels cost beside what the device could do? Fitted on networks that ran there; docs/SCORE.md has
// the measurements and how far off they leave a prediction. Pure.
#pragma once

#include <array>
#include <cstdint>

#include "core/model.h"
#include "core/workload.h"

namespace gpuassay {

/// Kernels outside products, convolutions and attention: memory and multiprocessors each add their part.
struct TrafficCost {
  double over_triad = 1;          ///< of what the triad takes for their bytes
  double clocks_per_element = 0;  ///< of one multiprocessor, for each element read or written
};

/// How many times as long a product takes in the framework as the same one measured alone, by its rows: few are those
/// up to kFewRows.
struct ProductCost {
  static constexpr std::int64_t kFewRows = 64;
  double one_row = 1, few_rows = 1, many_rows = 1;
  [[nodiscard]] double of(std::int64_t rows) const {
    return rows == 1 ? one_row : rows <= kFewRows ? few_rows : many_rows;
  }
};

struct FrameworkCosts {
  /// By TrafficKind.
  std::array<TrafficCost, EnumNames<TrafficKind>::values.size()> traffic;
  /// What the shortest of these and of attention takes beside its bytes and beyond an empty kernel of a CUDA graph, and
  /// the pause before every kernel.
  double shortest_kernel_ns = 0, pause_ns = 0;
  ProductCost product_half = {}, product_fp32 = {};
  /// A convolution in a network over the same one measured alone: helpers for layouts and workspaces, and a choice of
  /// algorithms that is not ours.
  double convolution = 1;
  /// Of the best rate of products in the same type, what attention reaches: 16 bits forward and backward, tf32, fp32.
  double attention_half_forward = 1, attention_half_backward = 1, attention_tf32 = 1, attention_fp32 = 1;
  /// Its keys and values come slower than the triad's arrays.
  double attention_over_triad = 1;
  /// Its kernels for 32 bits give a multiprocessor so many queries of a head, and compute as many where there are less;
  /// 0: they do not.
  std::int64_t attention_rows = 0;
  /// How far off a prediction may be for all that is not in this model.
  double spread = 0;

  [[nodiscard]] const TrafficCost& of(TrafficKind kind) const { return traffic.at(static_cast<std::size_t>(kind)); }
};

/// Of GPUs, or of CPUs.
const FrameworkCosts& framework_costs(DeviceKind kind);

}  // namespace gpuassay
