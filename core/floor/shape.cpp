#include "core/floor/shape.h"

#include <fmt/format.h>

#include <bit>

namespace gpuassay {
namespace {

constexpr std::int64_t kLeastSide = 256, kLargestSide = 65'536, kLeastDepth = 1'024, kLargestDepth = 262'144;
constexpr int kLargestInteger = 15;
constexpr std::int64_t kSumBound = std::int64_t{1} << 23U;

bool is_size(std::int64_t value, std::int64_t least, std::int64_t largest) {
  return value >= least && value <= largest && std::has_single_bit(static_cast<std::uint64_t>(value));
}

}  // namespace

double floor_flop(const FloorShape& shape) {
  return 2.0 * static_cast<double>(shape.m) * static_cast<double>(shape.n) * static_cast<double>(shape.k);
}

std::int64_t floor_tiles(const FloorShape& shape) { return shape.m / kTileSide * (shape.n / kTileSide); }

int largest_floor_integer(std::int64_t k) {
  int largest = kLargestInteger;
  while (largest > 1 && k * largest * largest >= kSumBound) --largest;
  return largest;
}

std::optional<std::string> shape_problem(const FloorShape& shape) {
  if (!is_size(shape.m, kLeastSide, kLargestSide) || !is_size(shape.n, kLeastSide, kLargestSide))
    return fmt::format("m and n must be powers of two from {} to {}", kLeastSide, kLargestSide);
  if (!is_size(shape.k, kLeastDepth, kLargestDepth))
    return fmt::format("k must be a power of two from {} to {}", kLeastDepth, kLargestDepth);
  if (shape.largest != largest_floor_integer(shape.k))
    return fmt::format(
        "the integers must be up to {} large: sums of {} products of larger ones could pass 2^23, where fp32 "
        "begins to round, and smaller ones fit narrower formats",
        largest_floor_integer(shape.k), shape.k);
  return std::nullopt;
}

bool is_exact(DType dtype) {
  switch (dtype) {
    case DType::fp64:
    case DType::fp32:
    case DType::tf32:
    case DType::fp16:
    case DType::bf16:
    case DType::int8: return true;
    case DType::fp16_acc16:  // sums of 11 bits
    case DType::fp8_e4m3:    // Hopper adds with about 14 bits
    case DType::fp4: return false;
  }
  return false;
}

}  // namespace gpuassay
