// Which kernels are there, and what does each take? Names, argument structs and launch shapes, for device code, the
// host that launches and the fake driver that imagines the outcome. Every kernel has one parameter: its struct, by
// value (gpuassay_empty has none). Grids and blocks are one-dimensional, shared memory is static. Addresses are device
// addresses; sizes are bytes unless said otherwise. What is verified is exact in every case: see each struct.
#pragma once

#include "kernels/fixed_width.h"

namespace gpuassay::kernels {

using DeviceAddress = UInt64;

/// Threads per block of every kernel that does not say otherwise. Their loops stride over the grid, so any number of
/// blocks gives the same result; enough blocks to fill the device, or one per tile, gives speed.
inline constexpr UInt32 kBlockThreads = 256;
/// Bytes per array that one block handles in one turn of its loop: four 16-byte accesses per thread in flight.
inline constexpr UInt32 kTileBytes = kBlockThreads * 4 * 16;
/// What a block of STREAM's kernels moves of each array.
inline constexpr UInt32 kStreamTileBytes = kBlockThreads * 16;

/// Second launch bound of the kernels that sum what they read: blocks per multiprocessor that suffice. Without it ptxas
/// saves registers for more blocks and waits for a thread's first load before it issues the last (seen in SASS).
inline constexpr UInt32 kBlocksThatSuffice = 4;

/// gpuassay_stream_copy c = a; _mul b = scalar * c; _add c = a + b; _triad a = b + scalar * c (rounded twice: the
/// product, then the sum, as on a host without fused multiply-add). Arrays of binary64, 16-byte aligned, apart.
struct StreamArguments {
  DeviceAddress a;
  DeviceAddress b;
  DeviceAddress c;
  UInt64 count;  ///< elements per array, even
  double scalar;
};

/// gpuassay_read: adds up the 64-bit words of an array, `passes` times, reading through L2 and not L1. Block b of the
/// grid writes sums[b], a sum modulo 2^64: it handles tiles (of kTileBytes) number v, v + grid, ... where in pass p
/// v is another block's number in each pass, so that no pass finds its data in the L1 of its own multiprocessor. See
/// read_role and read_block_sum in kernels/read_reference.h.
struct ReadArguments {
  DeviceAddress source;      ///< 16-byte aligned
  UInt64 size_bytes;         ///< a multiple of 16
  DeviceAddress block_sums;  ///< UInt64 per block
  UInt32 passes;             ///< 1 for device memory; more for an array that stays in L2
  UInt32 reserved;           ///< 0
};

/// gpuassay_write: 64-bit word i of the array becomes first_word + i.
struct WriteArguments {
  DeviceAddress destination;  ///< 16-byte aligned
  UInt64 size_bytes;          ///< a multiple of 16
  UInt64 first_word;
};

/// gpuassay_gather: adds up the 64-bit words of the pool's blocks that a table names, in table order. Seen as one array
/// of entries * 2^block_bytes_log2 bytes, tiles and sums are those of gpuassay_read with one pass.
struct GatherArguments {
  DeviceAddress pool;        ///< 16-byte aligned
  DeviceAddress table;       ///< UInt32 per entry: number of a block in the pool
  DeviceAddress block_sums;  ///< UInt64 per block of the grid
  UInt64 entries;
  UInt32 block_bytes_log2;  ///< 4 or more; 12 for 4 KiB
  UInt32 reserved;          ///< 0
};

/// gpuassay_fill: element i of the buffer becomes element_bits(format, seed, first_index + i)
/// (kernels/random_normal.h).
struct FillArguments {
  DeviceAddress destination;  ///< 16-byte aligned
  UInt64 count;               ///< elements; even for e2m1
  UInt64 first_index;
  UInt64 seed;
  UInt32 format;    ///< an ElementFormat
  UInt32 reserved;  ///< 0
};

/// gpuassay_fill_constant: every 32-bit word becomes `pattern`: poison (0xffffffff), scale factors, or the writing that
/// drives other data out of L2 before a cold sample.
struct FillConstantArguments {
  DeviceAddress destination;  ///< 16-byte aligned
  UInt64 size_bytes;          ///< a multiple of 4
  UInt32 pattern;
  UInt32 reserved;  ///< 0
};

/// gpuassay_sample: destination element i becomes source element positions[i]: one launch and one copy bring every
/// sampled output to the host.
struct SampleArguments {
  DeviceAddress source;       ///< aligned to element_bytes
  DeviceAddress positions;    ///< UInt64 per sample, in elements
  DeviceAddress destination;  ///< dense, element_bytes each, aligned to element_bytes
  UInt64 count;
  UInt32 element_bytes;  ///< 1, 2, 4 or 8; other values write nothing
  UInt32 reserved;       ///< 0
};

/// What gpuassay_gate writes to `outcome`.
enum class GateOutcome : UInt32 { opened = 1, timed_out = 2 };

/// gpuassay_gate, one block of one thread: holds its stream until the 32-bit word at `flag` is not 0, but no longer
/// than either bound: a host that dies cannot hang the device.
struct GateArguments {
  DeviceAddress flag;     ///< mapped host memory
  DeviceAddress outcome;  ///< UInt32, a GateOutcome
  UInt64 timeout_ns;      ///< on the device's global timer
  UInt64 timeout_cycles;  ///< on the multiprocessor's clock
};

/// One reading of both clocks of a multiprocessor.
struct ClockStamp {
  UInt64 sm_cycles;
  UInt64 global_ns;
};

/// gpuassay_clock, any grid of blocks of one thread (several per multiprocessor, so that each gets one): every block
/// writes stamps[number of its multiprocessor]. Two launches with work between them give SM clock =
/// cycles / nanoseconds per multiprocessor that has both stamps; set the array to 0 before each. The timer's step is up
/// to about 1 us (1 ms on some boards), so let the work between be 1000 times as long.
struct ClockArguments {
  DeviceAddress stamps;  ///< ClockStamp per multiprocessor
  UInt32 limit;          ///< how many fit; multiprocessors numbered from here on write nothing
  UInt32 reserved;       ///< 0
};

/// The multiply-add kernels gpuassay_fma_*: kFmaChains independent recurrences per thread, kFmaSteps steps each per
/// iteration. Recurrences, expected results and operation counts: kernels/fma_recurrence.h.
/// The tensor-core kernels gpuassay_mma_*: kernels/mma_tile.h. Both write `results` as those headers say.
struct ComputeArguments {
  DeviceAddress results;  ///< UInt64 each
  UInt64 seed;
  UInt32 iterations;
  UInt32 reserved;  ///< 0
};

/// Rows and columns of the squares of a verified run's result that are hashed, one by one.
inline constexpr UInt32 kFloorTileSide = 16;

/// gpuassay_floor_fill: element e becomes the integer philox_integer() of byte e of the stream (kernels/philox.h).
struct FloorFillArguments {
  DeviceAddress destination;  ///< 16-byte aligned
  UInt64 count;               ///< elements, a multiple of 16
  UInt32 key[2], high[2];     ///< of the stream
  UInt32 largest;             ///< the integers are from -largest to largest; at most 127
  UInt32 format;              ///< ElementFormat fp32, fp16, bf16 or int8; of others nothing is written
};

/// The digests of a verified run's step are a tree in the order of a heap, 32 bytes each: place 0 is the root, those
/// below place p are 2p + 1 and 2p + 2, and a level of n nodes begins at place n - 1. There are as many leaves as
/// tiles, a power of two.
///
/// gpuassay_floor_tiles: the leaves become the hashes of the tiles, numbered row by row. The hash of a tile is SHA-256
/// of a byte 0 and its numbers as int32, row by row; a number that no int32 holds counts as 0x7fffffff.
struct FloorTilesArguments {
  DeviceAddress matrix;  ///< row-major, of binary32 or int32 numbers; 16-byte aligned
  DeviceAddress tree;    ///< 16-byte aligned
  UInt64 rows, columns;  ///< powers of two, 16 at least
  UInt32 is_integer;     ///< 1: int32
  UInt32 reserved;       ///< 0
};

/// gpuassay_floor_nodes: of a level of `children` nodes, nine levels above it or all up to the root: SHA-256 of a byte
/// 1 and the two nodes below. Launch floor_node_blocks() blocks, each of which makes what leads to one node.
struct FloorNodesArguments {
  DeviceAddress tree;  ///< 16-byte aligned
  UInt64 children;     ///< a power of two, 2 at least
};

/// Blocks of gpuassay_floor_nodes, and nodes of the last level that they make: the children of the next launch.
constexpr UInt64 floor_node_blocks(UInt64 children) {
  return children / 2 > kBlockThreads ? children / 2 / kBlockThreads : 1;
}

static_assert(sizeof(StreamArguments) == 40 && sizeof(ReadArguments) == 32 && sizeof(WriteArguments) == 24);
static_assert(sizeof(GatherArguments) == 40 && sizeof(FillArguments) == 40 && sizeof(FillConstantArguments) == 24);
static_assert(sizeof(SampleArguments) == 40 && sizeof(GateArguments) == 32 && sizeof(ClockArguments) == 16);
static_assert(sizeof(ClockStamp) == 16 && sizeof(ComputeArguments) == 24);
static_assert(sizeof(FloorFillArguments) == 40 && sizeof(FloorTilesArguments) == 40);
static_assert(sizeof(FloorNodesArguments) == 16);

/// Names of the kernels that every image of module "base" has. Compute kernels are listed in kernels/compute_kernels.h.
inline constexpr const char* kStreamCopy = "gpuassay_stream_copy";
inline constexpr const char* kStreamMul = "gpuassay_stream_mul";
inline constexpr const char* kStreamAdd = "gpuassay_stream_add";
inline constexpr const char* kStreamTriad = "gpuassay_stream_triad";
inline constexpr const char* kRead = "gpuassay_read";
inline constexpr const char* kWrite = "gpuassay_write";
inline constexpr const char* kGather = "gpuassay_gather";
inline constexpr const char* kFill = "gpuassay_fill";
inline constexpr const char* kFillConstant = "gpuassay_fill_constant";
inline constexpr const char* kSample = "gpuassay_sample";
inline constexpr const char* kGate = "gpuassay_gate";
inline constexpr const char* kClock = "gpuassay_clock";
inline constexpr const char* kEmpty = "gpuassay_empty";

/// Names of the kernels of module "floor", which every device has an image of too.
inline constexpr const char* kFloorFill = "gpuassay_floor_fill";
inline constexpr const char* kFloorTiles = "gpuassay_floor_tiles";
inline constexpr const char* kFloorNodes = "gpuassay_floor_nodes";

}  // namespace gpuassay::kernels
