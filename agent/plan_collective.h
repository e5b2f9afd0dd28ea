// Which collectives does a run measure among the NVIDIA GPUs of a machine? Pure.
#pragma once

#include <vector>

#include "agent/plan_cuda.h"

namespace gpuassay {

/// Of two GPUs or more, else nothing. `quick`: the all-reduce of 64 MiB and the latency of 16 KiB in graphs.
/// `standard`: all-reduce from 1 to 512 MiB by factors of 8, the other kinds of 64 MiB, latencies of all-reduce from 4
/// KiB to 1 MiB. `full`: every kind in every size. Messages are at most an eighth of the memory of the GPU that has
/// least, and a multiple of what is shared out among the ranks. Without the time for them a `quick` run is complete all
/// the same.
std::vector<Case> collective_cases(const std::vector<CudaPlanDevice>& devices, Profile profile);

/// The same for `ranks` GPUs of any machines, of which the one with least memory has `least_free_bytes`.
std::vector<Case> collective_cases(std::int64_t ranks, std::int64_t least_free_bytes, Profile profile);

}  // namespace gpuassay
