#include "agent/workloads/compute_launch.h"

namespace gpuassay {
namespace {
/// Four blocks of 256: resident at once on every generation with the registers these kernels use, and with eight
/// independent chains per thread more than any unit's latency needs.
constexpr std::int64_t kThreadsPerSm = 1024;
constexpr std::uint32_t kFmaIterations = 256;
constexpr std::uint32_t kMmaIterations = 96;
}  // namespace

ComputeLaunch compute_launch(const ComputeKernel& kernel, int sm_count) {
  ComputeLaunch launch;
  launch.threads = kThreadsPerSm * sm_count;
  launch.iterations = kernel.unit == ComputeUnit::fma ? kFmaIterations : kMmaIterations;
  launch.flops = compute_operations(kernel, launch.threads, launch.iterations);
  return launch;
}

}  // namespace gpuassay
