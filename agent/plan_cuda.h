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
///  2. what the score needs: launch latencies, and operations of the networks that are predicted, in full all of them;
///  3. the link to the host: pinned transfers; then what several GPUs do together (plan_collective.h);
///  4. the best figure of everything else: square GEMMs of the other formats, arithmetic alone;
///  5. the rest of the profile: other STREAM kernels, gather, L2, pageable transfers, transformer-like, decode (m = 1
///     to 64) and mixture-of-experts GEMMs, convolutions in other formats;
///  6. with one device, and not in quick: the first two ranks again, marked as repeats.
/// Between 4 and 5 stand the cases `around` the devices (plan_host.h); without a device there are none.
/// A run that is cut off keeps the most important figures of every device. Of several devices of one kind (name,
/// memory, multiprocessors) every one has ranks 1 and 3; only the first has the others (in full every one has the
/// second of `standard`, last), so that time and document suffice for 8: the score knows how to go from the first to
/// its twins. Formats follow dtypes_of(compute capability), sizes the memory and the theoretical peak; a case that
/// library or device refuses is planned all the same: the backend's reason is the answer.
std::vector<Case> plan_cuda(const std::vector<CudaPlanDevice>& devices, Profile profile,
                            const std::vector<Case>& around = {});

}  // namespace gpuassay
