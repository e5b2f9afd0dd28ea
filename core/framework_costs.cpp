#include "core/framework_costs.h"

namespace gpuassay {
namespace {

// In the order of TrafficKind: elementwise, normalization, softmax, reduction, pooling, embedding, copy, optimizer.
constexpr FrameworkCosts kGpu{
    .traffic = {{{1.15}, {1.25, true}, {1.5}, {4}, {4}, {2}, {2.2}, {1.53}}},
    .shortest_kernel = 2.4,
    .pause = 0.7,
    .convolution = 1.1,
    .attention_half_forward = 0.38,
    .attention_half_backward = 0.28,
    .attention_tf32 = 0.065,
    .attention_fp32 = 0.4,
    .attention_over_triad = 1.3,
    .spread = 0.15,
};

constexpr FrameworkCosts kCpu{.traffic = {{{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}}}, .spread = 0.3};

}  // namespace

const FrameworkCosts& framework_costs(DeviceKind kind) { return kind == DeviceKind::cpu ? kCpu : kGpu; }

}  // namespace gpuassay
