// How large is one step of the verified run, and is its product exact in every arithmetic?
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/model.h"

namespace gpuassay {

/// C = A * B' with A of m x k and B of n x k, both row-major, of integers from -largest to largest.
struct FloorShape {
  std::int64_t m = 0, n = 0, k = 0;
  int largest = 0;

  friend bool operator==(const FloorShape&, const FloorShape&) = default;
};

/// Rows and columns of the squares of C that are hashed and checked: 256 numbers of 4 bytes.
inline constexpr std::int64_t kTileSide = 16;
inline constexpr std::int64_t kTileElements = kTileSide * kTileSide;

/// Multiplications and additions of one step.
double floor_flop(const FloorShape& shape);
std::int64_t floor_tiles(const FloorShape& shape);

/// The largest integers whose sums of k products stay below 2^23; 15 at most.
int largest_floor_integer(std::int64_t k);

/// Why no run can have this shape: powers of two within bounds, and the largest integers of this depth, as smaller ones
/// could be multiplied in a narrower format. Every sum of products stays below 2^23, so that fp32, tf32, fp16 and bf16
/// with fp32 accumulation and output, fp64, and int8 with int32 give the same integers in any order of adding (fp32
/// holds all integers up to 2^24). Empty: it can.
std::optional<std::string> shape_problem(const FloorShape& shape);

/// Whether the sums of this dtype's products are exact below 2^23.
bool is_exact(DType dtype);

}  // namespace gpuassay
