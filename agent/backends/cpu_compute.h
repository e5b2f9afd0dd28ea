// What do the CPUs calculate by themselves? Multiply-adds from registers on every usable CPU, by a kernel of our own: a
// figure that depends on no library.
#pragma once

#include <cstdint>
#include <memory>

#include "agent/backends/backend.h"
#include "agent/backends/pinned_threads.h"
#include "core/model.h"

namespace gpuassay {

/// What one operation should do on `threads` threads: 0.7 ms at 100 GFLOP/s each, and whole steps for every kernel.
std::int64_t cpu_compute_flops(int threads);

/// fp32 multiply-adds only; others, and numbers of operations that cannot be shared out, are Error{unsupported}.
std::unique_ptr<Operation> prepare_cpu_compute(std::shared_ptr<PinnedThreads> threads, const ComputeParams& params);

}  // namespace gpuassay
