// Operands of a verified run by AVX2 instructions; see operand_fill.h, which asks whether the CPU has them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/workloads/bfloat16.h"

namespace gpuassay {

/// Elements `first` to `first` + `count` - 1 of a matrix; both are multiples of kPhiloxBytes. Plain arrays, as a file
/// that is compiled for one instruction set must not use inline functions of the standard library.
struct OperandRange {
  std::uint32_t key[2];
  std::uint32_t high[2];
  int largest;
  std::uint64_t first;
  std::size_t count;
};

/// What fill_integers() gives, converted to the type of `out`; every integer is exact in each of them.
void avx2_fill_operands(const OperandRange& range, std::int8_t* out);
void avx2_fill_operands(const OperandRange& range, Bfloat16* out);
void avx2_fill_operands(const OperandRange& range, float* out);

}  // namespace gpuassay
