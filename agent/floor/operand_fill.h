// The operands of a verified run as a CPU multiplies them: the integers of core/floor/operands.h in its number formats.
#pragma once

#include <cstdint>
#include <span>

#include "agent/workloads/bfloat16.h"
#include "core/floor/philox.h"

namespace gpuassay {

/// Elements `first` to `first` + out.size() - 1 of the matrix, as fill_integers() gives them, by the widest
/// instructions of this CPU; every integer is exact in each format. `first` and the size are multiples of kPhiloxBytes.
void fill_operands(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<std::int8_t> out);
void fill_operands(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<Bfloat16> out);
void fill_operands(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<float> out);

}  // namespace gpuassay
