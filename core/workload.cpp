#include "core/workload.h"

#include "core/operations.h"

namespace gpuassay {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

constexpr double kFp32Bytes = 4;

double product(std::initializer_list<std::int64_t> factors) {
  double result = 1;
  for (const std::int64_t factor : factors) result *= static_cast<double>(factor);
  return result;
}

GemmParams gemm_params(const TracedGemm& g, DType dtype) { return {dtype, g.m, g.n, g.k, g.batch}; }

ConvParams conv_params(const TracedConv& c, DType dtype) {
  return {dtype, c.direction, c.n, c.c, c.h, c.w, c.k, c.r, c.s, c.stride, c.pad};
}

double attention_flops(const TracedAttention& a) {
  const double unseen = a.causal ? product({a.query_length, a.query_length - 1}) / 2 : 0;
  const double pairs = product({a.query_length, a.key_length}) - unseen;
  return (a.backward ? 5 : 2) * pairs * product({2, a.batch, a.heads, a.head_size});
}

double element_bytes(TracedRole role, WorkloadPrecision precision) {
  return role == TracedRole::half && precision == WorkloadPrecision::mixed ? 2 : kFp32Bytes;
}

double operand_elements(const TracedGemm& g) {
  return product({g.batch, g.m, g.k}) + product({g.batch, g.k, g.n}) + product({g.batch, g.m, g.n});
}

double operand_elements(const TracedConv& c) {
  const ConvParams params = conv_params(c, DType::fp32);
  return product({c.n, c.c, c.h, c.w}) + product({c.k, c.c, c.r, c.s}) + product({c.n, c.k, params.p(), params.q()});
}

/// Backward reads Q, K, V, the output and its gradient and writes the gradients of the first three.
double operand_elements(const TracedAttention& a) {
  const double queries = product({a.batch, a.heads, a.query_length, a.head_size});
  const double keys = product({a.batch, a.kv_heads, a.key_length, a.head_size});
  return a.backward ? 4 * queries + 4 * keys : 2 * queries + 2 * keys;
}

double row_sum_bytes(const TracedAttention& a) { return kFp32Bytes * product({a.batch, a.heads, a.query_length}); }

double byte_count(const ElementCounts& elements) {
  return 2 * static_cast<double>(elements.half) + kFp32Bytes * static_cast<double>(elements.fp32) +
         8 * static_cast<double>(elements.int64);
}

}  // namespace

double flop_count(const TracedOperation& operation) {
  return std::visit(Overloaded{
                        [](const TracedGemm& g) { return flop_count(gemm_params(g, DType::fp32)); },
                        [](const TracedConv& c) { return flop_count(conv_params(c, DType::fp32)); },
                        [](const TracedAttention& a) { return attention_flops(a); },
                    },
                    operation.params);
}

double byte_count(const TracedOperation& operation, WorkloadPrecision precision) {
  const double bytes = std::visit([](const auto& params) { return operand_elements(params); }, operation.params) *
                       element_bytes(operation.role, precision);
  const auto* attention = std::get_if<TracedAttention>(&operation.params);
  return attention == nullptr ? bytes : bytes + row_sum_bytes(*attention);
}

double byte_count(const MemoryTraffic& traffic) { return byte_count(traffic.read) + byte_count(traffic.written); }

std::int64_t launch_count(const TracedOperation& operation) {
  const auto* attention = std::get_if<TracedAttention>(&operation.params);
  return attention == nullptr ? 1 : attention->launches;
}

std::optional<OperationParams> measurable_params(const TracedOperation& operation, DType dtype) {
  using Params = std::optional<OperationParams>;
  return std::visit(Overloaded{
                        [&](const TracedGemm& g) -> Params { return gemm_params(g, dtype); },
                        [&](const TracedConv& c) -> Params { return conv_params(c, dtype); },
                        [](const TracedAttention&) -> Params { return std::nullopt; },
                    },
                    operation.params);
}

WorkloadTotals totals_of(const TracedWorkload& workload, WorkloadPrecision precision) {
  WorkloadTotals totals;
  for (const TracedOperation& operation : workload.operations) {
    const auto count = static_cast<double>(operation.count);
    totals.flops += count * flop_count(operation);
    totals.operation_bytes += count * byte_count(operation, precision);
    totals.launches += operation.count * launch_count(operation);
  }
  for (const MemoryTraffic& traffic : workload.in(precision).traffic) {
    totals.traffic_bytes += static_cast<double>(traffic.count) * byte_count(traffic);
    totals.launches += traffic.count * traffic.launches;
  }
  return totals;
}

}  // namespace gpuassay
