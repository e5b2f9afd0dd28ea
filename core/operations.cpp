#include "core/operations.h"

#include <string>

#include "core/enums.h"

namespace gpuassay {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

int arrays_moved(BandwidthKernel kernel) {
  switch (kernel) {
    case BandwidthKernel::copy:
    case BandwidthKernel::mul:
    case BandwidthKernel::readback:
    case BandwidthKernel::bidirectional:
    case BandwidthKernel::p2p_bidirectional: return 2;
    case BandwidthKernel::add:
    case BandwidthKernel::triad: return 3;
    case BandwidthKernel::read:
    case BandwidthKernel::write:
    case BandwidthKernel::gather:
    case BandwidthKernel::h2d:
    case BandwidthKernel::d2h:
    case BandwidthKernel::p2p_read:
    case BandwidthKernel::p2p_write: return 1;
  }
  return 0;
}

double product(std::initializer_list<std::int64_t> factors) {
  double result = 1;
  for (const std::int64_t factor : factors) result *= static_cast<double>(factor);
  return result;
}

}  // namespace

double bytes_of_element(DType dtype) {
  switch (dtype) {
    case DType::fp64: return 8;
    case DType::fp32:
    case DType::tf32: return 4;
    case DType::fp16:
    case DType::fp16_acc16:
    case DType::bf16: return 2;
    case DType::int8:
    case DType::fp8_e4m3: return 1;
    case DType::fp4: return 0.5;
  }
  return 4;
}

double flop_count(const OperationParams& params) {
  return std::visit(Overloaded{
                        [](const GemmParams& g) { return product({2, g.m, g.n, g.k, g.batch}); },
                        [](const ConvParams& c) { return product({2, c.n, c.k, c.p(), c.q(), c.c, c.r, c.s}); },
                        [](const BandwidthParams&) { return 0.0; },
                        [](const ComputeParams& c) { return static_cast<double>(c.flops); },
                        [](const LatencyParams&) { return 0.0; },
                        [](const DiskParams&) { return 0.0; },
                        [](const NetworkParams&) { return 0.0; },
                        [](const CollectiveParams&) { return 0.0; },
                    },
                    params);
}

double byte_count(const OperationParams& params) {
  if (const auto* disk = std::get_if<DiskParams>(&params)) return static_cast<double>(disk->bytes);
  if (const auto* network = std::get_if<NetworkParams>(&params)) return static_cast<double>(network->bytes);
  const auto* bandwidth = std::get_if<BandwidthParams>(&params);
  return bandwidth == nullptr ? 0.0 : product({arrays_moved(bandwidth->kernel), bandwidth->array_bytes});
}

bool is_square_gemm(const OperationParams& params) {
  const auto* gemm = std::get_if<GemmParams>(&params);
  return gemm != nullptr && gemm->m == gemm->n && gemm->n == gemm->k && gemm->batch == 1;
}

bool is_triad(const OperationParams& params) {
  const auto* bandwidth = std::get_if<BandwidthParams>(&params);
  return bandwidth != nullptr && bandwidth->kernel == BandwidthKernel::triad && bandwidth->level == MemoryLevel::dram;
}

Metric metric_of(const OperationParams& params, double median_ns) {
  // FLOP/ns is GFLOP/s; byte/ns is GB/s.
  if (byte_count(params) > 0) return {"achieved_gb_per_s", byte_count(params) / median_ns, "GB/s"};
  const auto* collective = std::get_if<CollectiveParams>(&params);
  if (collective != nullptr && collective->mode == CollectiveMode::bandwidth) {
    return {"busbw_gb_per_s",
            algbw_gb_per_s(*collective, median_ns) * busbw_factor(collective->kind, collective->ranks), "GB/s"};
  }
  const Workload workload = workload_of(params);
  if (collective != nullptr || workload == Workload::latency || workload == Workload::network)
    return {"latency_us", median_ns / 1e3, "us"};
  return {"achieved_tflop_per_s", flop_count(params) / median_ns / 1e3, "TFLOP/s"};
}

double algbw_gb_per_s(const CollectiveParams& params, double median_ns) {
  return static_cast<double>(params.message_bytes) / median_ns;
}

double busbw_factor(CollectiveKind kind, std::int64_t ranks) {
  const auto n = static_cast<double>(ranks);
  return (kind == CollectiveKind::all_reduce ? 2 : 1) * (n - 1) / n;
}

Workload workload_of(const OperationParams& params) {
  return std::visit(Overloaded{
                        [](const GemmParams&) { return Workload::gemm; },
                        [](const ConvParams&) { return Workload::conv; },
                        [](const BandwidthParams&) { return Workload::bandwidth; },
                        [](const ComputeParams&) { return Workload::compute; },
                        [](const LatencyParams&) { return Workload::latency; },
                        [](const DiskParams&) { return Workload::disk; },
                        [](const NetworkParams&) { return Workload::network; },
                        [](const CollectiveParams&) { return Workload::collective; },
                    },
                    params);
}

std::string case_id(const OperationParams& params) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  return std::visit(Overloaded{
                        [&](const GemmParams& g) {
                          return "gemm/" + std::string(to_name(g.dtype)) + "/m" + number(g.m) + "n" + number(g.n) +
                                 "k" + number(g.k) + (g.batch == 1 ? "" : "b" + number(g.batch));
                        },
                        [&](const ConvParams& c) {
                          return "conv/" + std::string(to_name(c.dtype)) + "/" + std::string(to_name(c.direction)) +
                                 "/n" + number(c.n) + "c" + number(c.c) + "h" + number(c.h) + "w" + number(c.w) + "k" +
                                 number(c.k) + "r" + number(c.r) + "s" + number(c.s) + "/stride" + number(c.stride) +
                                 "pad" + number(c.pad);
                        },
                        [&](const BandwidthParams& b) {
                          return "bandwidth/" + std::string(to_name(b.kernel)) + "/" + std::string(to_name(b.level)) +
                                 (b.peer ? "/peer" + number(*b.peer) : "");
                        },
                        [](const ComputeParams& c) {
                          return "compute/" + std::string(to_name(c.unit)) + "/" + std::string(to_name(c.dtype));
                        },
                        [](const LatencyParams& l) { return "latency/" + std::string(to_name(l.kind)); },
                        [](const DiskParams& d) { return "disk/" + std::string(to_name(d.kind)); },
                        [](const NetworkParams& n) { return "network/" + std::string(to_name(n.kind)); },
                        [&](const CollectiveParams& c) {
                          return "collective/" + std::string(to_name(c.kind)) + "/" + std::string(to_name(c.dtype)) +
                                 "/ranks" + number(c.ranks) + "/bytes" + number(c.message_bytes) +
                                 (c.mode == CollectiveMode::bandwidth ? "" : "/" + std::string(to_name(c.mode)));
                        },
                    },
                    params);
}

}  // namespace gpuassay
