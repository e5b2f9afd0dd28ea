// How large is one launch of a throughput kernel? A pure function of kernel and device, so that the plan can state its
// operations and the backend does just these.
#pragma once

#include <cstdint>

#include "agent/workloads/compute_reference.h"

namespace gpuassay {

struct ComputeLaunch {
  std::int64_t threads = 0;  ///< in all; a multiple of kernels::kBlockThreads
  std::uint32_t iterations = 0;
  std::int64_t flops = 0;  ///< operations of the launch
};

/// A launch that fills `sm_count` multiprocessors once and lasts a millisecond or a few on units of full rate, whatever
/// the device's size: per multiprocessor and clock all generations do about the same.
ComputeLaunch compute_launch(const ComputeKernel& kernel, int sm_count);

}  // namespace gpuassay
