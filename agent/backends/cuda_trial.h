// Which of several algorithms is the fastest on this device? The trial of candidate_trial.h with the device's habits.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "agent/backends/cuda_context.h"

namespace gpuassay {

/// Queues one run of candidate number `index` on the context's stream; false when the library refuses it.
using QueueCandidate = std::function<bool(std::size_t index)>;

/// Index of the fastest candidate; empty when all refuse. Each runs once for nothing, as its first run loads its
/// kernels (not where the candidates take longer than 5 ms), and is then timed over as many runs back to back as last
/// 0.2 ms, so that the gap before the first does not count. Stops taking new candidates after 0.25 s; the best few then
/// meet in a final of at most seven turns.
std::optional<std::size_t> fastest_cuda_candidate(const CudaContext& context, std::size_t count,
                                                  const QueueCandidate& queue);

}  // namespace gpuassay
