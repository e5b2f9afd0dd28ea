// Which integers are in the matrices of a verified run? They follow from the collector's seed, and those of a step from
// the result of the step before, so that nothing can be worked out beforehand.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/floor/philox.h"
#include "core/merkle.h"

namespace gpuassay {

using FloorSeed = std::array<unsigned char, 32>;

/// The operand B of a device, the same in every step.
PhiloxStream stream_of_b(const FloorSeed& seed, int device);
/// The operand A of a step; `before` is the digest of the step before, zeros at the first.
PhiloxStream stream_of_a(const FloorSeed& seed, int device, std::uint32_t step, const Digest& before);

/// Elements `first` to `first` + out.size() - 1 of the matrix, row by row: byte e of the stream gives element e, as
/// floor(byte * (2 * largest + 1) / 256) - largest. `first` and the size are multiples of kPhiloxBytes.
void fill_integers(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<std::int8_t> out);

}  // namespace gpuassay
