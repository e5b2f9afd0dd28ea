// Which cases does a run measure on NVIDIA GPUs, and in which order? Pure: from what is known of the devices.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model.h"

namespace gpuassay {

/// One CUDA device and how much of its memory the cases may fill.
struct CudaPlanDevice {
  const Device* device = nullptr;  ///< not owned
  std::int64_t free_bytes = 0;
};

/// Cases of all devices in order of value, the devices taking turns within each rank:
///  1. the headlines: the square GEMM in the training precision, the triad;
///  2. what the score needs: ResNet-50's operations;
///  3. the best figure of everything else: square GEMMs of the other formats, arithmetic alone, pinned transfers;
///  4. the rest of the profile: other STREAM kernels, gather, L2, pageable transfers, latencies, transformer-like,
///     decode (m = 1 to 64) and mixture-of-experts GEMMs, convolutions in other formats;
///  5. with one device, and not in quick: the first two ranks again, marked as repeats.
/// A run that is cut off keeps the most important figures of every device. Devices of one kind (name, memory,
/// multiprocessors) share ranks 3 and 4: only the first of a kind has them, so that time and document suffice for 8.
/// Formats follow dtypes_of(compute capability), sizes the memory and the theoretical peak; a case that
/// library or device refuses is planned all the same: the backend's reason is the answer.
std::vector<Case> plan_cuda(const std::vector<CudaPlanDevice>& devices, Profile profile);

}  // namespace gpuassay
