// How many multiply-adds per second do the tensor cores do with the instructions of compute capability 7.0? See
// mma_tile.h. m8n8k4 is four products at once, one per pair of lane quads; later architectures have it for
// compatibility alone.
#include "kernels/mma_loop.h"

namespace gpuassay::kernels {
namespace {

struct Fp16Policy : FloatAccumulator {
  __attribute__((device)) static void multiply(float (&c)[8], const UInt32 (&a)[2], const UInt32 (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3, %4, %5, %6, %7}, {%8, %9}, {%10, %11}, {%0, %1, %2, %3, %4, %5, %6, %7};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]), "+f"(c[4]), "+f"(c[5]), "+f"(c[6]), "+f"(c[7])
        : "r"(a[0]), "r"(a[1]), "r"(b[0]), "r"(b[1]));
  }
};

struct Fp16Acc16Policy : HalfAccumulator {
  __attribute__((device)) static void multiply(UInt32 (&c)[4], const UInt32 (&a)[2], const UInt32 (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m8n8k4.row.col.f16.f16.f16.f16 "
        "{%0, %1, %2, %3}, {%4, %5}, {%6, %7}, {%0, %1, %2, %3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(b[0]), "r"(b[1]));
  }
};

}  // namespace

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_fp16(
    ComputeArguments arguments) {
  run_mma<kMmaSm70Fp16, Fp16Policy>(arguments);
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_fp16_acc16(
    ComputeArguments arguments) {
  run_mma<kMmaSm70Fp16Acc16, Fp16Acc16Policy>(arguments);
}

}  // namespace gpuassay::kernels
