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
/// latency_us (of one launch, or one connection).
Metric metric_of(const OperationParams& params, double median_ns);

Workload workload_of(const OperationParams& params);

/// The two headlines that every device runs: C = A * B with all sides alike, and the triad in main memory.
bool is_square_gemm(const OperationParams& params);
bool is_triad(const OperationParams& params);

/// For example "gemm/fp32/m4096n4096k4096", "conv/fp32/forward/n8c64h56w56k64r3s3/stride1pad1",
/// "bandwidth/triad/dram", "bandwidth/h2d/pinned", "bandwidth/p2p_write/ce/peer3", "compute/fma/fp32",
/// "latency/kernel_launch", "disk/sequential_read", "network/download".
std::string case_id(const OperationParams& params);

}  // namespace gpuassay
