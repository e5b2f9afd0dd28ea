// How large should the steps of a verified run be on this device? Made so that what is not multiplying stays small, and
// the collector has little to work out again. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/floor/shape.h"

namespace gpuassay {

/// What was measured of a device in the dtype that it works in.
struct FloorCosts {
  double generate_ns = 0;  ///< of one element of an operand
  double hash_ns = 0;      ///< of one element of the result
  double step_ns = 0;      ///< of each step whatever its size: launches, and the way of the digest to the host
  double gemm_tflop_per_s = 0;
};

/// What the choice is bounded by.
struct FloorBounds {
  std::int64_t free_bytes = 0;     ///< of device memory
  std::int64_t operand_bytes = 4;  ///< of one element
  int multiprocessors = 1;
  std::size_t devices = 1;  ///< that work at the same time, and are checked by one collector
  double most_flop = std::numeric_limits<double>::infinity();  ///< of a step
};

/// Nanoseconds of a step's product, and of all that comes on top: making A, hashing C, launches.
double floor_gemm_ns(const FloorCosts& costs, const FloorShape& shape);
double floor_extra_ns(const FloorCosts& costs, const FloorShape& shape);

/// Of the shapes whose steps take 2 to 250 ms, fill all multiprocessors and use 80 % of the free memory at most, the
/// one with the smallest k, then with the shortest steps, for which making A, hashing and launching take less than
/// 4.5 % of the product's time. Where no shape reaches that: the one of which most can be proven (proven_share() of the
/// draws that a collector can afford, times the product's share of a step). Where memory or `most_flop` allow no step
/// of 2 ms: the same of shorter ones.
FloorShape choose_floor_shape(const FloorCosts& costs, const FloorBounds& bounds);

}  // namespace gpuassay
