// How many multiply-adds per second do the tensor cores do with the instructions of compute capability 8.0 and up? See
// mma_tile.h. Later architectures have faster instructions of their own (wgmma, tcgen05); the figure here is that of
// mma.sync, which no library version changes.
#include "kernels/mma_loop.h"

namespace gpuassay::kernels {
namespace {

struct Fp16Policy : FloatAccumulator {
  __attribute__((device)) static void multiply(float (&c)[4], const UInt32 (&a)[4], const UInt32 (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
};

struct Fp16Acc16Policy : HalfAccumulator {
  __attribute__((device)) static void multiply(UInt32 (&c)[2], const UInt32 (&a)[4], const UInt32 (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 "
        "{%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%0, %1};"
        : "+r"(c[0]), "+r"(c[1])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
};

struct Bf16Policy : FloatAccumulator {
  __attribute__((device)) static void multiply(float (&c)[4], const UInt32 (&a)[4], const UInt32 (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
};

struct Tf32Policy : FloatAccumulator {
  __attribute__((device)) static void multiply(float (&c)[4], const UInt32 (&a)[4], const UInt32 (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
};

struct Int8Policy : IntegerAccumulator {
  __attribute__((device)) static void multiply(UInt32 (&c)[4], const UInt32 (&a)[4], const UInt32 (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
};

struct Fp64Policy : DoubleAccumulator {
  __attribute__((device)) static void multiply(double (&c)[2], const double (&a)[1], const double (&b)[1]) {
    asm volatile(
        "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 "
        "{%0, %1}, {%2}, {%3}, {%0, %1};"
        : "+d"(c[0]), "+d"(c[1])
        : "d"(a[0]), "d"(b[0]));
  }
};

}  // namespace

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_fp16(
    ComputeArguments arguments) {
  run_mma<kMmaSm80Fp16, Fp16Policy>(arguments);
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_fp16_acc16(
    ComputeArguments arguments) {
  run_mma<kMmaSm80Fp16Acc16, Fp16Acc16Policy>(arguments);
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_bf16(
    ComputeArguments arguments) {
  run_mma<kMmaSm80Bf16, Bf16Policy>(arguments);
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_tf32(
    ComputeArguments arguments) {
  run_mma<kMmaSm80Tf32, Tf32Policy>(arguments);
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_int8(
    ComputeArguments arguments) {
  run_mma<kMmaSm80Int8, Int8Policy>(arguments);
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_fp64(
    ComputeArguments arguments) {
  run_mma<kMmaSm80Fp64, Fp64Policy>(arguments);
}

}  // namespace gpuassay::kernels
