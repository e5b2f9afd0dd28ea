// What does a GPU do in a verified run besides multiplying? It makes the operands and hashes the result, exactly as
// core/floor does. The launches are timed as part of the work, so they are to be short beside the product.
#include "kernels/device.h"
#include "kernels/philox.h"
#include "kernels/sha256.h"

namespace gpuassay::kernels {
namespace {

/// In constant memory all threads of a warp read the same one at once, on every GPU.
__attribute__((constant)) const Sha256Constants constants = kSha256Constants;

/// Four bytes of elements, `first` being the number of the lowest in the block.
template <ElementFormat kFormat>
__attribute__((device)) UInt32 word_of_integers(const PhiloxBlock& block, UInt32 largest, UInt32 first) {
  constexpr UInt32 kBits = bits_of(kFormat);
  UInt32 word = 0;
#pragma unroll
  for (UInt32 i = 0; i < 32 / kBits; ++i)
    word |= bits_of_integer(kFormat, philox_integer(block, first + i, largest)) << (i * kBits);
  return word;
}

/// Each thread makes one block of random bytes and writes its sixteen elements, 16 bytes at a time.
template <ElementFormat kFormat>
__attribute__((device)) void fill_integers(const FloorFillArguments& arguments) {
  constexpr UInt32 kVectors = bits_of(kFormat) / 8, kPerWord = 32 / bits_of(kFormat);
  const PhiloxKey stream{{arguments.key[0], arguments.key[1]}, {arguments.high[0], arguments.high[1]}};
  auto* const destination = global_pointer<Words>(arguments.destination);
#pragma unroll 1
  for (UInt64 i = thread_in_grid(); i * kPhiloxBlockBytes < arguments.count; i += threads_in_grid()) {
    const PhiloxBlock block = philox_block(stream, i);
#pragma unroll
    for (UInt32 v = 0; v < kVectors; ++v) {
      const auto word = [&](UInt32 j) {
        return UInt64{word_of_integers<kFormat>(block, arguments.largest, (4 * v + j) * kPerWord)};
      };
      destination[i * kVectors + v] = Words{word(0) | word(1) << 32, word(2) | word(3) << 32};
    }
  }
}

/// 64 bytes, 16-byte aligned.
__attribute__((device)) inline void load_piece(const Global<const Words>* from, UInt32 (&w)[kSha256PieceWords]) {
#pragma unroll
  for (UInt32 v = 0; v < kSha256PieceWords / 4; ++v) {
    const Words words = from[v];
    w[4 * v] = static_cast<UInt32>(words.x), w[4 * v + 1] = static_cast<UInt32>(words.x >> 32);
    w[4 * v + 2] = static_cast<UInt32>(words.y), w[4 * v + 3] = static_cast<UInt32>(words.y >> 32);
  }
}

__attribute__((device)) inline void store_digest(DeviceAddress tree, UInt64 place, const Sha256State& state) {
  auto* const to = global_pointer<Words>(tree) + 2 * place;
#pragma unroll
  for (UInt32 v = 0; v < 2; ++v) {
    const auto half = [&](UInt32 i) { return UInt64{digest_word(state, i)} | UInt64{digest_word(state, i + 1)} << 32; };
    to[v] = Words{half(4 * v), half(4 * v + 2)};
  }
}

/// What no int32 holds, as of a library that gives nonsense, becomes a number that no product is: as on a CPU.
__attribute__((device)) inline UInt32 integer_of(UInt32 bits) {
  constexpr float kBound = 0x1p30F;
  const float number = float_of(bits);
  return number > -kBound && number < kBound ? static_cast<UInt32>(static_cast<Int32>(number)) : 0x7fffffffU;
}

}  // namespace

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_floor_fill(
    FloorFillArguments arguments) {
  switch (static_cast<ElementFormat>(arguments.format)) {
    case ElementFormat::int8: return fill_integers<ElementFormat::int8>(arguments);
    case ElementFormat::fp16: return fill_integers<ElementFormat::fp16>(arguments);
    case ElementFormat::bf16: return fill_integers<ElementFormat::bf16>(arguments);
    case ElementFormat::fp32: return fill_integers<ElementFormat::fp32>(arguments);
    default: return;
  }
}

// One thread to a tile: a row of it is what SHA-256 takes in at a time. Threads of a warp have neighbouring tiles, so
// that together they read a row of the matrix without gaps; hashing takes ten times as long as that reading anyway.
extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_floor_tiles(
    FloorTilesArguments arguments) {
  constexpr UInt64 kSide = kFloorTileSide, kVectors = kSide / 4;
  const UInt64 across = arguments.columns / kSide, tiles = arguments.rows / kSide * across;
  const auto* const matrix = global_pointer<const Words>(arguments.matrix);
#pragma unroll 1
  for (UInt64 tile = thread_in_grid(); tile < tiles; tile += threads_in_grid()) {
    const auto* const corner = matrix + (tile / across * kSide * across + tile % across) * kVectors;
    const Sha256State state =
        sha256_after(constants, 0, kFloorTileSide, [&](UInt32 row, UInt32(&w)[kSha256PieceWords]) {
          load_piece(corner + row * across * kVectors, w);
          if (arguments.is_integer != 0) return;
#pragma unroll
          for (UInt32 i = 0; i < kSha256PieceWords; ++i) w[i] = integer_of(w[i]);
        });
    store_digest(arguments.tree, tiles - 1 + tile, state);
  }
}

extern "C" __attribute__((global)) __attribute__((launch_bounds(kBlockThreads))) void gpuassay_floor_nodes(
    FloorNodesArguments arguments) {
  UInt64 level = arguments.children / 2;  // nodes of the level that is made
  UInt64 own = level < kBlockThreads ? level : kBlockThreads;
  const auto* const tree = global_pointer<const Words>(arguments.tree);
#pragma unroll 1
  for (; own > 0; own /= 2, level /= 2) {
    if (thread_in_block() < own) {
      const UInt64 place = level - 1 + block_in_grid() * own + thread_in_block();
      store_digest(arguments.tree, place, sha256_after(constants, 1, 1, [&](UInt32, UInt32(&w)[kSha256PieceWords]) {
                     load_piece(tree + 2 * (2 * place + 1), w);
                   }));
    }
    block_barrier();
  }
}

}  // namespace gpuassay::kernels
