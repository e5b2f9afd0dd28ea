// Which values stand at the sampled places? Brought together on the device, so that one copy takes them all to the
// host.
#include "kernels/device.h"

namespace gpuassay::kernels {
namespace {

template <class T>
__attribute__((device)) void sample(const SampleArguments& arguments) {
  const auto* const source = global_pointer<const T>(arguments.source);
  const auto* const positions = global_pointer<const UInt64>(arguments.positions);
  auto* const destination = global_pointer<T>(arguments.destination);
#pragma unroll 1
  for (UInt64 i = thread_in_grid(); i < arguments.count; i += threads_in_grid()) destination[i] = source[positions[i]];
}

}  // namespace

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_sample(
    SampleArguments arguments) {
  switch (arguments.element_bytes) {
    case 1: return sample<UInt8>(arguments);
    case 2: return sample<UInt16>(arguments);
    case 4: return sample<UInt32>(arguments);
    case 8: return sample<UInt64>(arguments);
    default: return;
  }
}

}  // namespace gpuassay::kernels
