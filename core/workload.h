// What does one step of a real network do? Its operations, memory traffic, kernels and memory, as
// scripts/trace_workload found them in PyTorch. Value types and arithmetic; docs/WORKLOADS.md says what is counted and
// how. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/enums.h"
#include "core/model.h"

namespace gpuassay {

/// The two ways in which every workload was traced: all in fp32, or 16 bits wherever mixed precision has them.
enum class WorkloadPrecision { full, mixed };

/// What an operation computes in where the precision is mixed: 16 bits, or fp32 all the same. In full precision all is
/// fp32.
enum class TracedRole { half, fp32 };

/// C[m,n] = A[m,k] * B[k,n], row-major. A transposed operand lies in memory as its transpose does. `direction` says
/// what the product is for, as it does for convolutions.
struct TracedGemm {
  ConvDirection direction = ConvDirection::forward;
  bool a_transposed = false, b_transposed = false;
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  bool operator==(const TracedGemm&) const = default;
};

/// As ConvParams; `channels_last`: NHWC in memory, else NCHW.
struct TracedConv {
  ConvDirection direction = ConvDirection::forward;
  bool channels_last = false;
  std::int64_t n = 0, c = 0, h = 0, w = 0, k = 0, r = 0, s = 0, stride = 1, pad = 0;
  bool operator==(const TracedConv&) const = default;
};

/// softmax(Q * K^T) * V for `heads` query heads, groups of which share a key and value head; causal: a query sees no
/// later key. One operation, as fused attention runs it.
struct TracedAttention {
  bool backward = false;
  std::int64_t batch = 0, heads = 0, kv_heads = 0, query_length = 0, key_length = 0, head_size = 0;
  bool causal = false;
  std::int64_t launches = 0;  ///< kernels of one fused attention
  bool operator==(const TracedAttention&) const = default;
};

/// One distinct operation and how often a step runs it.
struct TracedOperation {
  std::variant<TracedGemm, TracedConv, TracedAttention> params;
  TracedRole role = TracedRole::half;
  std::int64_t count = 0;
};

/// What kernels outside those operations are for: `softmax` includes the loss, `pooling` enlarging, `copy` conversions
/// and filling, `optimizer` everything within its step.
enum class TrafficKind { elementwise, normalization, softmax, reduction, pooling, embedding, copy, optimizer };

struct ElementCounts {
  std::int64_t half = 0, fp32 = 0, int64 = 0;
};

/// Kernels that move so many elements each time, and how often a step runs them.
struct MemoryTraffic {
  TrafficKind kind = TrafficKind::elementwise;
  ElementCounts read, written;
  std::int64_t launches = 0;  ///< kernels each time
  std::int64_t count = 0;
};

/// What no trace has: CUDA's context and the libraries' workspace.
inline constexpr double kOutsideTensorsBytes = 0.5e9;

/// The most that tensors hold during a step, and what held it then. Without the libraries' workspace and CUDA's
/// context.
struct TracedMemory {
  std::int64_t weights_bytes = 0, optimizer_bytes = 0, inputs_bytes = 0;  ///< inputs: and key-value caches
  std::int64_t activations_bytes = 0;                                     ///< and gradients
  std::int64_t peak_bytes = 0;                                            ///< the sum
};

/// What differs between the precisions.
struct TracedPrecision {
  std::vector<MemoryTraffic> traffic;
  std::int64_t launches = 0;  ///< kernels of one step run eagerly, those of operations included
  TracedMemory memory;
};

struct TracedWorkload {
  std::string id;
  WorkloadClass workload_class = WorkloadClass::train;
  std::string network, command, torch_version;
  std::map<std::string, std::int64_t> shape;  ///< parameters, batch and lengths, by name
  std::int64_t samples = 0;                   ///< per step
  std::string unit;                           ///< of samples: "images", "sequences", "tokens", "steps"
  std::vector<TracedOperation> operations;    ///< of both precisions
  TracedPrecision full, mixed;

  [[nodiscard]] const TracedPrecision& in(WorkloadPrecision precision) const {
    return precision == WorkloadPrecision::full ? full : mixed;
  }
};

/// FLOPs of the operation run once. Products and convolutions as flop_count(OperationParams); attention 2 products of
/// 2*batch*heads*pairs*head_size forward and 5 backward (the scores are made anew), where pairs is query_length *
/// key_length less, if causal, the query_length * (query_length - 1) / 2 that are not seen.
double flop_count(const TracedOperation& operation);

/// The least that the operation run once can move: each operand and result once. Attention forward reads Q, K, V and
/// writes the output and one fp32 sum of each row; backward reads all those and the output's gradient and writes three.
double byte_count(const TracedOperation& operation, WorkloadPrecision precision);

/// Bytes that the kernels move each time.
double byte_count(const MemoryTraffic& traffic);

/// Kernels of the operation run once.
std::int64_t launch_count(const TracedOperation& operation);

/// What to measure for a product or a convolution in `dtype`; empty for attention.
std::optional<OperationParams> measurable_params(const TracedOperation& operation, DType dtype);

/// Sums over one step.
struct WorkloadTotals {
  double flops = 0;
  double operation_bytes = 0;  ///< of products, convolutions and attention
  double traffic_bytes = 0;    ///< of all other kernels
  std::int64_t launches = 0;
};
WorkloadTotals totals_of(const TracedWorkload& workload, WorkloadPrecision precision);

template <>
struct EnumNames<WorkloadPrecision> {
  static constexpr std::array<std::pair<WorkloadPrecision, std::string_view>, 2> values{
      {{WorkloadPrecision::full, "full"}, {WorkloadPrecision::mixed, "mixed"}}};
};
template <>
struct EnumNames<TracedRole> {
  static constexpr std::array<std::pair<TracedRole, std::string_view>, 2> values{
      {{TracedRole::half, "half"}, {TracedRole::fp32, "fp32"}}};
};
template <>
struct EnumNames<TrafficKind> {
  static constexpr std::array<std::pair<TrafficKind, std::string_view>, 8> values{
      {{TrafficKind::elementwise, "elementwise"},
       {TrafficKind::normalization, "normalization"},
       {TrafficKind::softmax, "softmax"},
       {TrafficKind::reduction, "reduction"},
       {TrafficKind::pooling, "pooling"},
       {TrafficKind::embedding, "embedding"},
       {TrafficKind::copy, "copy"},
       {TrafficKind::optimizer, "optimizer"}}};
};

}  // namespace gpuassay
