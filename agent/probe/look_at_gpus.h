// Asks the CUDA driver and NVML what they know of every GPU. Runs libraries that are not ours: only in a child process.
#pragma once

#include <chrono>
#include <optional>

#include "agent/dynlib/library_candidates.h"
#include "agent/probe/gpu_sight.h"

namespace gpuassay {

/// Everything both tell, without creating a context. NVML devices are matched by PCI bus id, never by index. A missing
/// or broken NVML leaves its fields empty, with the reason. Throws Error when the driver itself fails.
GpuSights look_at_gpus(const LibraryCandidate& driver, const std::optional<LibraryCandidate>& nvml);

/// The same in a child process, so that nothing of the driver stays in this one. NVML candidates are tried in order.
/// Throws Error{nothing_measurable} with the reason when the child fails, crashes or takes longer than `limit`.
GpuSights look_at_gpus_in_child(const LibraryCandidate& driver, const std::vector<LibraryCandidate>& nvml,
                                std::chrono::milliseconds limit);

}  // namespace gpuassay
