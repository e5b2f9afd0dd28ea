// What can be measured: the parameters of every kind of operation, as the result document has them.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

namespace gpuassay {

/// Numeric format of the operands. `fp16` accumulates in fp32, `fp16_acc16` in fp16, `int8` in int32.
enum class DType { fp64, fp32, tf32, fp16, fp16_acc16, bf16, int8, fp8_e4m3, fp4 };

/// C[m,n] = A[m,k] * B[k,n], row-major, `batch` independent products.
struct GemmParams {
  DType dtype = DType::fp32;
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t batch = 1;
  bool operator==(const GemmParams&) const = default;
};

enum class ConvDirection { forward, backward_data, backward_weights };

/// One 2-D convolution layer: input n*c*h*w, weights k*c*r*s, output n*k*p*q; no dilation, one group.
struct ConvParams {
  DType dtype = DType::fp32;
  ConvDirection direction = ConvDirection::forward;
  std::int64_t n = 0, c = 0, h = 0, w = 0, k = 0, r = 0, s = 0;
  std::int64_t stride = 1, pad = 0;
  [[nodiscard]] std::int64_t p() const { return (h + 2 * pad - r) / stride + 1; }
  [[nodiscard]] std::int64_t q() const { return (w + 2 * pad - s) / stride + 1; }
  bool operator==(const ConvParams&) const = default;
};

/// STREAM kernels by their STREAM names, plus a pure read (sum reduction), a pure write, a gather (reads of contiguous
/// blocks at scattered places, as a key-value cache is read), and transfers between host and device: host to device,
/// device to host, and both at the same time; and between this device and a peer: reads from it, writes to it, and
/// writes both ways at the same time. And `readback`: nearly all of the free memory is written, then read, to see
/// whether it is there.
enum class BandwidthKernel {
  copy,
  mul,
  add,
  triad,
  read,
  write,
  gather,
  readback,
  h2d,
  d2h,
  bidirectional,
  p2p_read,
  p2p_write,
  p2p_bidirectional
};
/// Where the working set lies. On a GPU `dram` is device memory and `l2` the L2 cache. A transfer names the kind of its
/// host memory instead: `pinned` (page-locked) or `pageable`; every other kernel has one of the first four. One between
/// peers names what moves the bytes: a copy engine (`ce`) or a kernel on the multiprocessors (`sm`).
enum class MemoryLevel { l1, l2, l3, dram, pinned, pageable, ce, sm };

/// True for the kernels that move bytes between host and device.
constexpr bool is_transfer(BandwidthKernel kernel) {
  return kernel == BandwidthKernel::h2d || kernel == BandwidthKernel::d2h || kernel == BandwidthKernel::bidirectional;
}

/// True for those that move bytes between two devices.
constexpr bool is_peer_copy(BandwidthKernel kernel) {
  return kernel == BandwidthKernel::p2p_read || kernel == BandwidthKernel::p2p_write ||
         kernel == BandwidthKernel::p2p_bidirectional;
}

/// `array_bytes` is the size of ONE array; copy, mul, readback use two (or one twice), add, triad three, read, write
/// one. For gather it is what one operation reads, for a transfer what it moves one way (bidirectional: that much each
/// way).
struct BandwidthParams {
  BandwidthKernel kernel = BandwidthKernel::triad;
  MemoryLevel level = MemoryLevel::dram;
  std::int64_t array_bytes = 0;
  std::optional<int> peer = {};  ///< index of the other device; left out of the document where there is none
  bool operator==(const BandwidthParams&) const = default;
};

/// What computes: the ordinary multiply-add lanes, or the matrix (tensor) units.
enum class ComputeUnit { fma, mma };

/// Arithmetic alone, from registers, by kernels of our own: a figure that depends on no library. `flops` is how many
/// operations ONE operation of the case does (a multiply-add counts 2; integer operations count the same way).
struct ComputeParams {
  DType dtype = DType::fp32;
  ComputeUnit unit = ComputeUnit::fma;
  std::int64_t flops = 0;
  bool operator==(const ComputeParams&) const = default;
};

/// One launch of an empty kernel: by itself, or as a node of a CUDA graph with many.
enum class LatencyKind { kernel_launch, graph_launch };

struct LatencyParams {
  LatencyKind kind = LatencyKind::kernel_launch;
  bool operator==(const LatencyParams&) const = default;
};

enum class CollectiveKind { all_reduce, all_gather, reduce_scatter, all_to_all };
/// `bandwidth`: calls back to back, of which the mean is timed. The latency of one call of many: `plain`, each queued
/// by itself, or `graph`, recorded in CUDA graphs.
enum class CollectiveMode { bandwidth, plain, graph };

/// One collective of NCCL among `ranks` GPUs. `message_bytes` counts as in nccl-tests: what a rank hands in for
/// all_reduce and reduce_scatter, what it gets for all_gather, either for all_to_all.
struct CollectiveParams {
  CollectiveKind kind = CollectiveKind::all_reduce;
  DType dtype = DType::fp32;
  std::int64_t message_bytes = 0;
  std::int64_t ranks = 0;
  CollectiveMode mode = CollectiveMode::bandwidth;
  bool operator==(const CollectiveParams&) const = default;
};

/// A file in the data directory: written and made durable, read past the page cache, and read into a GPU's memory as a
/// model is loaded.
enum class DiskKind { sequential_write, sequential_read, disk_to_device };

/// `bytes` is what ONE operation writes or reads, in blocks of `block_bytes` one after the other. A plan says the most:
/// what was done depends on the disk's speed and free space.
struct DiskParams {
  DiskKind kind = DiskKind::sequential_read;
  std::int64_t bytes = 0, block_bytes = 0;
  bool operator==(const DiskParams&) const = default;
};

/// A target that the user names: opening one connection, or downloading.
enum class NetworkKind { connect, download };

/// `bytes` is what ONE download receives, and 0 for a connection; a plan says the most.
struct NetworkParams {
  NetworkKind kind = NetworkKind::download;
  std::int64_t bytes = 0;
  bool operator==(const NetworkParams&) const = default;
};

using OperationParams = std::variant<GemmParams, ConvParams, BandwidthParams, ComputeParams, LatencyParams, DiskParams,
                                     NetworkParams, CollectiveParams>;

}  // namespace gpuassay
