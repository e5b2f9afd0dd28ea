// What does a data-parallel step wait for its gradients? PyTorch's DistributedDataParallel with its defaults;
// docs/SCORE.md has rule and sources. Pure.
#pragma once

#include <cstdint>

#include "core/all_reduce_times.h"
#include "core/workload.h"

namespace gpuassay {

/// In what pieces the gradients travel, in the order in which backward makes them.
struct GradientBuckets {
  static constexpr std::int64_t kFirstBytes = std::int64_t{1} << 20U;
  static constexpr std::int64_t kFullBytes = std::int64_t{25} << 20U;

  std::int64_t first_bytes = 0;
  std::int64_t full_count = 0;  ///< of kFullBytes each
  std::int64_t last_bytes = 0;  ///< what is left, and a table of embeddings: its gradient is ready last
  [[nodiscard]] std::int64_t total_bytes() const { return first_bytes + full_count * kFullBytes + last_bytes; }
};

/// Gradients are fp32 in both precisions, one for each parameter: autocast keeps weights in fp32. Precondition: the
/// workload trains, and its shape has `parameters`.
GradientBuckets gradient_buckets(const TracedWorkload& workload);

/// Parameters of the largest table of embeddings; 0 without one.
std::int64_t largest_table(const TracedWorkload& workload);

/// All buckets go one after the other. Those before the last overlap with backward, what of them lasts longer is waited
/// for; the last is ready only when backward ends. `low_ns` and `high_ns` of what is exposed: all but the last is
/// hidden, and nothing is.
struct GradientExchange {
  GradientBuckets buckets;
  double before_last_ns = 0, last_ns = 0, backward_ns = 0;
  double exposed_ns = 0, low_ns = 0, high_ns = 0;
};

/// Precondition: times.known().
GradientExchange exchange_gradients(const GradientBuckets& buckets, const AllReduceTimes& times, double backward_ns);

}  // namespace gpuassay
