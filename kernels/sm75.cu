// How many multiply-adds per second do the tensor cores do with the instructions of compute capability 7.5? See
// mma_tile.h.
#include "kernels/mma_loop.h"

namespace gpuassay::kernels {
namespace {

struct Fp16Policy : FloatAccumulator {
  __attribute__((device)) static void multiply(float (&c)[4], const UInt32 (&a)[2], const UInt32 (&b)[1]) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(b[0]));
  }
};

struct Fp16Acc16Policy : HalfAccumulator {
  __attribute__((device)) static void multiply(UInt32 (&c)[2], const UInt32 (&a)[2], const UInt32 (&b)[1]) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16 "
        "{%0, %1}, {%2, %3}, {%4}, {%0, %1};"
        : "+r"(c[0]), "+r"(c[1])
        : "r"(a[0]), "r"(a[1]), "r"(b[0]));
  }
};

struct Int8Policy : IntegerAccumulator {
  __attribute__((device)) static void multiply(UInt32 (&c)[2], const UInt32 (&a)[1], const UInt32 (&b)[1]) {
    asm volatile(
        "mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 "
        "{%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+r"(c[0]), "+r"(c[1])
        : "r"(a[0]), "r"(b[0]));
  }
};

}  // namespace

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_fp16(
    ComputeArguments arguments) {
  run_mma<kMmaSm75Fp16, Fp16Policy>(arguments);
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_fp16_acc16(
    ComputeArguments arguments) {
  run_mma<kMmaSm75Fp16Acc16, Fp16Acc16Policy>(arguments);
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_int8(
    ComputeArguments arguments) {
  run_mma<kMmaSm75Int8, Int8Policy>(arguments);
}

}  // namespace gpuassay::kernels
