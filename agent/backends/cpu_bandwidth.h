// How fast does memory move? STREAM kernels and a pure read, for main memory and for each cache level.
#pragma once

#include <memory>

#include "agent/backends/backend.h"
#include "agent/backends/pinned_threads.h"
#include "core/model.h"

namespace gpuassay {

/// Prepares one bandwidth operation. The arrays are shared out over the threads in whole cache lines, each slice
/// first touched by its thread. Main memory: threads meet after every iteration, as in STREAM, and stores bypass
/// the caches where that is faster. Cache levels: each thread repeats on its own slice, meeting at the ends.
/// Throws Error{unsupported} when array_bytes is not a multiple of 64 or
/// leaves a thread without work, {out_of_memory} when the arrays do not fit.
std::unique_ptr<Operation> prepare_cpu_bandwidth(std::shared_ptr<PinnedThreads> threads, const BandwidthParams& params);

}  // namespace gpuassay
