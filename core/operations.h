// How much work an operation is: FLOPs, bytes, and the stable id of its case. Pure arithmetic on shapes.
#pragma once

#include <cstdint>
#include <string>

#include "core/model.h"

namespace gpuassay {

/// Bytes of one element; half a byte for fp4.
double bytes_of_element(DType dtype);

/// GEMM: 2*m*n*k*batch (one multiply and one add per product term). Convolution, every direction: the nominal
/// direct count 2*n*k*p*q*c*r*s, as cuDNN and oneDNN report it; Winograd may therefore exceed a "peak".
/// Compute: what the params say. Everything else: 0, its figures are bytes and time.
double flop_count(const OperationParams& params);

/// Bytes moved by one bandwidth operation, by the STREAM convention (each array read or written once, no
/// write-allocate traffic; source: J. McCalpin, STREAM): copy, mul 2; add, triad 3; read, write, gather 1 times
/// array_bytes. A transfer counts the bytes that cross the bus: h2d, d2h, p2p_read, p2p_write 1, the bidirectional ones
/// 2 (one each way).
/// Disk and network: what the params say. Zero for everything else.
double byte_count(const OperationParams& params);

/// The figure of one operation that took `median_ns`: achieved_tflop_per_s, achieved_gb_per_s for what moves bytes, or
/// latency_us (of one launch, one connection or one call). Of a collective's bandwidth busbw_gb_per_s.
Metric metric_of(const OperationParams& params, double median_ns);

/// GB/s by nccl-tests' doc/PERFORMANCE.md: `algbw` is message_bytes over time, `busbw` that times the share of the
/// message which each link of an ideal ring carries, so that it compares with the links' own bandwidth whatever the
/// number of ranks n: 2(n-1)/n for all_reduce, (n-1)/n for all_gather, reduce_scatter and all_to_all.
double algbw_gb_per_s(const CollectiveParams& params, double median_ns);
double busbw_factor(CollectiveKind kind, std::int64_t ranks);

/// The latency of a collective is told of this message: one token of 8192 numbers in 16 bits, what tensor-parallel
/// decoding of a 70 B model sums up twice in each layer.
inline constexpr std::int64_t kLatencyMessageBytes = 16384;

Workload workload_of(const OperationParams& params);

/// The two headlines that every device runs: C = A * B with all sides alike, and the triad in main memory.
bool is_square_gemm(const OperationParams& params);
bool is_triad(const OperationParams& params);

/// For example "gemm/fp32/m4096n4096k4096", "conv/fp32/forward/n8c64h56w56k64r3s3/stride1pad1",
/// "bandwidth/triad/dram", "bandwidth/h2d/pinned", "bandwidth/p2p_write/ce/peer3", "compute/fma/fp32",
/// "latency/kernel_launch", "disk/sequential_read", "network/download",
/// "collective/all_reduce/fp32/ranks8/bytes1048576", with "/plain" or "/graph" after it for the latency.
std::string case_id(const OperationParams& params);

}  // namespace gpuassay
