// How fast do the multiprocessors' clocks run? Both clocks read at one moment, per multiprocessor.
#include "kernels/device.h"

namespace gpuassay::kernels {

extern "C" __attribute__((global)) __attribute__((launch_bounds(1))) void gpuassay_clock(ClockArguments arguments) {
  const UInt32 number = multiprocessor();
  if (number >= arguments.limit) return;
  // One 16-byte store: two blocks on one multiprocessor must not leave half a stamp each.
  const UInt64 cycles = sm_cycles();
  global_pointer<Words>(arguments.stamps)[number] = Words{cycles, global_ns()};
}

}  // namespace gpuassay::kernels
