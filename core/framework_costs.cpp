#include "core/framework_costs.h"

namespace gpuassay {
namespace {

// Seen in the kernels of eight networks in both precisions on an H200 and an H100: docs/measured/networks_hopper.md. In
// the order of TrafficKind: elementwise, normalization, softmax, reduction, pooling, embedding, copy, optimizer.
constexpr FrameworkCosts kGpu{
    .traffic = {{{0.92, 0.03},
                 {0.4, 0.21},
                 {1.16, 0.076},
                 {1.4, 0.5},
                 {0.25, 0.77},
                 {0.17, 0.43},
                 {1.5, 0.07},
                 {0.86, 0.154}}},
    .shortest_kernel_ns = 870,
    .pause_ns = 450,
    .convolution = 1.1,
    .attention_half_forward = 0.38,
    .attention_half_backward = 0.28,
    .attention_tf32 = 0.065,
    .attention_fp32 = 0.4,
    .attention_over_triad = 1.3,
    .attention_rows = 64,
    .spread = 0.15,
};

// Seen in the operators of the same networks on two threads of a Zen 4 guest: docs/measured/networks_cpu.md. In fp32
// PyTorch's products are MKL's, in bf16 oneDNN's; a single row has kernels of its own in both.
constexpr FrameworkCosts kCpu{
    .traffic = {{{2}, {1.9}, {2.3}, {3.3}, {2}, {2}, {2.3}, {0.9}}},
    .product_half = {.one_row = 2.9, .few_rows = 1.38, .many_rows = 1.05},
    .product_fp32 = {.one_row = 2.2, .few_rows = 2.7, .many_rows = 1.2},
    .convolution = 1.05,
    .attention_half_forward = 0.24,
    .attention_half_backward = 0.22,
    .attention_fp32 = 0.48,
    .attention_over_triad = 4.5,
    .spread = 0.4,
};

}  // namespace

const FrameworkCosts& framework_costs(DeviceKind kind) { return kind == DeviceKind::cpu ? kCpu : kGpu; }

}  // namespace gpuassay
