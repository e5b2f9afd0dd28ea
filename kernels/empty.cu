// How long does launching take? A kernel that does nothing.
#include "kernels/device.h"

extern "C" __attribute__((global)) void gpuassay_empty() {}
