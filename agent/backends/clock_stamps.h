// How fast do the multiprocessors really run? Their cycle counters and the global timer, read by a kernel before and
// after the work between: needs no NVML and nobody's permission. After NVIDIA/nvbench, gpu_frequency.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "agent/backends/backend.h"
#include "agent/backends/cuda_context.h"

namespace gpuassay {

/// Median clock of the multiprocessors that stamped both times; `after` and `before` are by multiprocessor number,
/// zeros where none stamped. Empty below a hundredth of a second, as timers step by up to a millisecond, and where
/// either clock ran backwards.
std::optional<StampedClock> clock_between(std::span<const kernels::ClockStamp> before,
                                          std::span<const kernels::ClockStamp> after);

/// Queues the first stamps on the context's stream. Throws what the driver answers.
std::unique_ptr<ClockWatch> watch_clock(std::shared_ptr<CudaContext> context);

}  // namespace gpuassay
