// How many multiply-adds per second do the tensor cores do with the instructions of compute capability 8.9 and up? See
// mma_tile.h.
#include "kernels/mma_loop.h"

namespace gpuassay::kernels {
namespace {

struct Fp8Policy : FloatAccumulator {
  __attribute__((device)) static void multiply(float (&c)[4], const UInt32 (&a)[4], const UInt32 (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
};

}  // namespace

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_fp8_e4m3(
    ComputeArguments arguments) {
  run_mma<kMmaSm89Fp8, Fp8Policy>(arguments);
}

}  // namespace gpuassay::kernels
