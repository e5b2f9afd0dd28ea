// What is in one square of a step's result, and under which hash? For whoever checks: it needs 16 rows of each operand.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/floor/operands.h"
#include "core/floor/shape.h"
#include "core/merkle.h"

namespace gpuassay {

/// Rows and columns of one tile, row by row. Tiles are numbered row by row too.
using Tile = std::array<std::int32_t, kTileElements>;

/// merkle_leaf_hash() of the tile's numbers in little-endian order. The digest of a step is merkle_root() of its tiles.
Digest tile_hash(const Tile& tile);

/// Which step of which device, after which digest.
struct FloorStep {
  FloorSeed seed{};
  int device = 0;
  std::uint32_t step = 0;
  Digest before{};
};

/// Works out one tile in integers: 2 * 16 * k integers are made and 256 * k products added.
Tile recompute_tile(const FloorShape& shape, const FloorStep& step, std::int64_t tile);

}  // namespace gpuassay
