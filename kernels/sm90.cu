// How many fp64 multiply-adds per second do the tensor cores do with the instructions of compute capability 9.0 and up?
// See mma_tile.h. Hopper runs Ampere's m8n8k4 at half the rate of these (seen on an H200: 33 of 67 TFLOP/s).
#include "kernels/mma_loop.h"

namespace gpuassay::kernels {
namespace {

struct Fp64Policy : DoubleAccumulator {
  __attribute__((device)) static void multiply(double (&c)[4], const double (&a)[4], const double (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+d"(c[0]), "+d"(c[1]), "+d"(c[2]), "+d"(c[3])
        : "d"(a[0]), "d"(a[1]), "d"(a[2]), "d"(a[3]), "d"(b[0]), "d"(b[1]));
  }
};

}  // namespace

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_mma_fp64(
    ComputeArguments arguments) {
  run_mma<kMmaSm90Fp64, Fp64Policy>(arguments);
}

}  // namespace gpuassay::kernels
