// Do the kernels of verified runs make and hash what core/floor says? Their sources are compiled for the host
// (tests/support/host_device); core/floor shares no line with them, and has SHA-256 from a library.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "agent/floor/tile_hashing.h"
#include "core/floor/operands.h"
#include "core/floor/tiles.h"
#include "kernels/floor.cu"

namespace gpuassay::kernels {
namespace {

/// Device memory: 16-byte aligned, all bits set before, and a margin behind it that must stay so.
class DeviceBytes {
 public:
  explicit DeviceBytes(std::size_t size) : words_(size / sizeof(Words) + 2), size_(size) {
    std::memset(static_cast<void*>(words_.data()), 0xff, words_.size() * sizeof(Words));
  }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(words_.data());
  }
  DeviceAddress address() { return reinterpret_cast<DeviceAddress>(words_.data()); }
  bool end_untouched() {
    const auto* bytes = as<unsigned char>();
    return std::all_of(bytes + size_, bytes + words_.size() * sizeof(Words),
                       [](unsigned char byte) { return byte == 0xff; });
  }

 private:
  std::vector<Words> words_;
  std::size_t size_;
};

constexpr UInt32 kBlocks = 3;
/// A real stream: no word of it is special.
PhiloxStream some_stream() {
  FloorSeed seed{};
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<unsigned char>(i * 7 + 1);
  return stream_of_a(seed, 3, 5, Digest{9, 8, 7});
}

TEST(FloorFillKernel, WritesTheIntegersOfTheStreamInEveryFormat) {
  const PhiloxStream stream = some_stream();
  for (const int largest : {1, 5, 15}) {
    for (const ElementFormat format :
         {ElementFormat::fp32, ElementFormat::fp16, ElementFormat::bf16, ElementFormat::int8}) {
      // More blocks of random bytes than threads, and no multiple of them.
      constexpr std::size_t kCount = std::size_t{256} * 57;
      const std::size_t bytes_each = bits_of(format) / 8;
      std::vector<std::int8_t> expected(kCount);
      fill_integers(stream, largest, 0, expected);
      DeviceBytes elements(kCount * bytes_each);
      const FloorFillArguments arguments{elements.address(),
                                         kCount,
                                         {stream.key[0], stream.key[1]},
                                         {stream.high[0], stream.high[1]},
                                         static_cast<UInt32>(largest),
                                         static_cast<UInt32>(format)};
      run_grid(kBlocks, kBlockThreads, [&] { gpuassay_floor_fill(arguments); });
      for (std::size_t i = 0; i < kCount; ++i) {
        UInt64 bits = 0;
        std::memcpy(&bits, elements.as<unsigned char>() + i * bytes_each, bytes_each);
        ASSERT_EQ(value_of(format, bits), expected[i]) << bits_of(format) << " bits, element " << i;
      }
      EXPECT_TRUE(elements.end_untouched());
    }
  }
}

TEST(FloorFillKernel, BytesOfAnIntegerAreThoseOfItsValue) {
  for (Int32 integer = -127; integer <= 127; ++integer) {
    const auto value = static_cast<float>(integer);
    EXPECT_EQ(bits_of_integer(ElementFormat::fp32, integer), bits_of_float(value));
    EXPECT_EQ(bits_of_integer(ElementFormat::fp16, integer), fp16_bits(value));
    EXPECT_EQ(bits_of_integer(ElementFormat::bf16, integer), bf16_bits(value));
    EXPECT_EQ(bits_of_integer(ElementFormat::int8, integer), int8_bits(value));
  }
}

TEST(FloorFillKernel, ZeroHasNoSignAndOtherFormatsAreLeftAlone) {
  for (const ElementFormat format : {ElementFormat::fp32, ElementFormat::fp16, ElementFormat::bf16})
    EXPECT_EQ(bits_of_integer(format, 0), 0U);
  DeviceBytes elements(1024);
  FloorFillArguments arguments{elements.address(), 128, {1, 2}, {3, 4}, 15, static_cast<UInt32>(ElementFormat::fp64)};
  run_grid(1, kBlockThreads, [&] { gpuassay_floor_fill(arguments); });
  EXPECT_EQ(elements.as<UInt64>()[0], ~UInt64{0});
}

/// The tree that the kernels make of a matrix, in the order of a heap.
std::vector<Digest> tree_of(DeviceBytes& matrix, UInt64 rows, UInt64 columns, bool is_integer) {
  const UInt64 tiles = rows / kFloorTileSide * (columns / kFloorTileSide);
  DeviceBytes tree((2 * tiles - 1) * sizeof(Digest));
  const FloorTilesArguments arguments{matrix.address(), tree.address(), rows, columns, is_integer ? 1U : 0U, 0};
  run_grid(kBlocks, kBlockThreads, [&] { gpuassay_floor_tiles(arguments); });
  for (UInt64 children = tiles; children > 1; children = floor_node_blocks(children)) {
    run_grid_together(static_cast<UInt32>(floor_node_blocks(children)), kBlockThreads,
                      [&] { gpuassay_floor_nodes({tree.address(), children}); });
  }
  EXPECT_TRUE(tree.end_untouched());
  std::vector<Digest> nodes(2 * tiles - 1);
  std::memcpy(nodes.data(), tree.as<unsigned char>(), nodes.size() * sizeof(Digest));
  return nodes;
}

/// Hash of the tile by core/floor.
Digest expected_tile(const std::vector<std::int32_t>& numbers, UInt64 columns, UInt64 number) {
  const UInt64 across = columns / kFloorTileSide;
  Tile tile{};
  for (UInt64 i = 0; i < tile.size(); ++i) {
    const UInt64 row = number / across * kFloorTileSide + i / kFloorTileSide;
    tile[i] = numbers[row * columns + number % across * kFloorTileSide + i % kFloorTileSide];
  }
  return tile_hash(tile);
}

std::vector<std::int32_t> some_numbers(std::size_t count) {
  std::vector<std::int32_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<std::int32_t>(i * 2654435761U) % (1 << 23);
  return numbers;
}

TEST(FloorTilesKernel, HashesEveryTileOfBothTypes) {
  constexpr UInt64 kRows = 64, kColumns = 256;
  const std::vector<std::int32_t> numbers = some_numbers(kRows * kColumns);
  DeviceBytes integers(numbers.size() * 4), floats(numbers.size() * 4);
  std::copy(numbers.begin(), numbers.end(), integers.as<std::int32_t>());
  std::transform(numbers.begin(), numbers.end(), floats.as<float>(),
                 [](std::int32_t number) { return static_cast<float>(number); });
  const std::vector<Digest> of_integers = tree_of(integers, kRows, kColumns, true);
  EXPECT_EQ(of_integers, tree_of(floats, kRows, kColumns, false));
  const UInt64 tiles = kRows * kColumns / kTileElements;
  for (UInt64 tile = 0; tile < tiles; ++tile)
    ASSERT_EQ(of_integers[tiles - 1 + tile], expected_tile(numbers, kColumns, tile)) << tile;
}

TEST(FloorTilesKernel, WhatIsNoIntegerIsHashedAsOnACpu) {
  constexpr UInt64 kSide = 32;
  DeviceBytes matrix(kSide * kSide * 4);
  auto* const numbers = matrix.as<float>();
  std::fill(numbers, numbers + kSide * kSide, 1.0F);
  numbers[3] = std::numeric_limits<float>::quiet_NaN();
  numbers[20] = std::numeric_limits<float>::infinity();
  numbers[kSide * 17] = -0x1p30F;
  numbers[kSide * 17 + 20] = 0x1p29F;
  std::vector<Digest> expected(4);
  hash_tile_rows(numbers, kSide, expected);
  const std::vector<Digest> tree = tree_of(matrix, kSide, kSide, false);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), tree.begin() + 3));
}

/// The levels below a block's nine, exactly nine, and those that a second launch makes.
TEST(FloorNodesKernel, MakesTheWholeTree) {
  for (const auto& [rows, columns] :
       {std::pair<UInt64, UInt64>{16, 16}, {16, 32}, {256, 256}, {512, 256}, {512, 1024}}) {
    const std::vector<std::int32_t> numbers = some_numbers(rows * columns);
    DeviceBytes matrix(numbers.size() * 4);
    std::copy(numbers.begin(), numbers.end(), matrix.as<std::int32_t>());
    const std::vector<Digest> tree = tree_of(matrix, rows, columns, true);
    const std::size_t tiles = rows * columns / kTileElements;
    const std::span<const Digest> leaves = std::span(tree).subspan(tiles - 1);
    EXPECT_EQ(tree.front(), merkle_root(leaves)) << tiles << " tiles";
    const MerkleNodes nodes = [&](const MerkleNode& wanted) {
      return tree[(tiles >> wanted.level) - 1 + static_cast<std::size_t>(wanted.index)];
    };
    EXPECT_EQ(merkle_inclusion_path(nodes, tiles / 3, tiles), merkle_inclusion_path(leaves, tiles / 3)) << tiles;
  }
}

}  // namespace
}  // namespace gpuassay::kernels
