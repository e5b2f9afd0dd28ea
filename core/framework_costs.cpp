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

// Not fitted yet: on a CPU of two threads PyTorch reached 0.4 to 1 of what this foretells (docs/SCORE.md).
constexpr FrameworkCosts kCpu{.traffic = {{{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}}}, .spread = 1.5};

}  // namespace

const FrameworkCosts& framework_costs(DeviceKind kind) { return kind == DeviceKind::cpu ? kCpu : kGpu; }

}  // namespace gpuassay
