// How are launches queued before the first one starts? A thread waits for a word in host memory, within two bounds.
#include "kernels/device.h"

namespace gpuassay::kernels {

extern "C" __attribute__((global)) __attribute__((launch_bounds(1))) void gpuassay_gate(GateArguments arguments) {
  const auto* const flag = global_pointer<const volatile UInt32>(arguments.flag);
  auto* const outcome = global_pointer<volatile UInt32>(arguments.outcome);
  const UInt64 start_cycles = sm_cycles();
  const UInt64 start_ns = global_ns();
  // Two bounds, because the timer stands still on some virtual devices and the clock is slow in some power states.
  while (*flag == 0) {
    if (sm_cycles() - start_cycles >= arguments.timeout_cycles || global_ns() - start_ns >= arguments.timeout_ns) {
      *outcome = static_cast<UInt32>(GateOutcome::timed_out);
      return;
    }
  }
  *outcome = static_cast<UInt32>(GateOutcome::opened);
}

}  // namespace gpuassay::kernels
