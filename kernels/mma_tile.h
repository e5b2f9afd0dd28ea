// What do the tensor-core kernels compute, and which lane holds what? Device code and
// agent/workloads/compute_reference.cpp both use these definitions.
//
// Each warp multiplies small random integers, the same in every warp: A (m x k) and, per chain, B (k x n). An iteration
// starts its accumulators at (iteration mod 8), which no compiler can foresee, then adds A*B, subtracts it, adds it,
// ... kMmaSteps times, an odd number: what remains is A*B + (iteration mod 8). Magnitudes are bounded so that every
// partial sum is an integer the accumulator holds exactly, whatever the order of addition and however the unit aligns
// its addends: the result is exact on all of them. Alternating signs keep that bound for any number of steps and keep
// the operands' bits moving. Fragment layouts: PTX ISA, "Matrix fragments for mma"; a wrong one shows as a wrong
// result.
#pragma once

#include "kernels/random_normal.h"

namespace gpuassay::kernels {

inline constexpr UInt32 kMmaChains = 8;
inline constexpr UInt32 kMmaSteps = 65;  ///< per iteration and chain: 32 turns of the loop with two, and one

/// One mma instruction.
struct MmaShape {
  ElementFormat operand;
  ElementFormat accumulator;  ///< fp64, fp32, fp16; int8 stands for 32-bit integers, the accumulator of int8 operands
  UInt32 m, n, k;
  UInt32 groups;          ///< independent products per instruction: 4 for Volta's m8n8k4, else 1
  Int32 largest_operand;  ///< operands are integers in -largest..largest
};

// largest^2 * k + 7 stays within 2048 for fp16 accumulators, 2^24 for fp32 (far within: some units keep fewer bits than
// binary32 has, e4m3 on Hopper about 13), 2^31 for integers, 2^53 for fp64.
inline constexpr MmaShape kMmaSm70Fp16{ElementFormat::fp16, ElementFormat::fp32, 8, 8, 4, 4, 255};
inline constexpr MmaShape kMmaSm70Fp16Acc16{ElementFormat::fp16, ElementFormat::fp16, 8, 8, 4, 4, 22};
inline constexpr MmaShape kMmaSm75Fp16{ElementFormat::fp16, ElementFormat::fp32, 16, 8, 8, 1, 255};
inline constexpr MmaShape kMmaSm75Fp16Acc16{ElementFormat::fp16, ElementFormat::fp16, 16, 8, 8, 1, 15};
inline constexpr MmaShape kMmaSm75Int8{ElementFormat::int8, ElementFormat::int8, 8, 8, 16, 1, 127};
inline constexpr MmaShape kMmaSm80Fp16{ElementFormat::fp16, ElementFormat::fp32, 16, 8, 16, 1, 255};
inline constexpr MmaShape kMmaSm80Fp16Acc16{ElementFormat::fp16, ElementFormat::fp16, 16, 8, 16, 1, 11};
inline constexpr MmaShape kMmaSm80Bf16{ElementFormat::bf16, ElementFormat::fp32, 16, 8, 16, 1, 255};
inline constexpr MmaShape kMmaSm80Tf32{ElementFormat::tf32, ElementFormat::fp32, 16, 8, 8, 1, 511};
inline constexpr MmaShape kMmaSm80Int8{ElementFormat::int8, ElementFormat::int8, 16, 8, 32, 1, 127};
inline constexpr MmaShape kMmaSm80Fp64{ElementFormat::fp64, ElementFormat::fp64, 8, 8, 4, 1, 16777215};
inline constexpr MmaShape kMmaSm90Fp64{ElementFormat::fp64, ElementFormat::fp64, 16, 8, 8, 1, 16777215};
inline constexpr MmaShape kMmaSm89Fp8{ElementFormat::e4m3, ElementFormat::fp32, 16, 8, 32, 1, 7};

constexpr bool quad_pairs(const MmaShape& shape) { return shape.groups == 4; }

/// Operations of one instruction of one warp: a multiply and an add per term.
constexpr UInt64 mma_operations(const MmaShape& shape) {
  return UInt64{2} * shape.m * shape.n * shape.k * shape.groups;
}

/// Elements that each lane holds of A, B and the accumulators.
constexpr UInt32 mma_a_elements(const MmaShape& shape) { return shape.m * shape.k * shape.groups / 32; }
constexpr UInt32 mma_b_elements(const MmaShape& shape) { return shape.k * shape.n * shape.groups / 32; }
constexpr UInt32 mma_c_elements(const MmaShape& shape) { return shape.m * shape.n * shape.groups / 32; }
/// Elements of a 32-bit register; of a 64-bit one for fp64.
constexpr UInt32 mma_elements_per_register(const MmaShape& shape) {
  return shape.operand == ElementFormat::fp64 ? 1 : 32 / bits_of(shape.operand);
}

/// Place of an element in its matrix.
struct MmaPlace {
  UInt32 group;
  UInt32 row;
  UInt32 column;
};

/// Element `i` of `lane` in A (row-major kind).
constexpr MmaPlace mma_a_place(const MmaShape& shape, UInt32 lane, UInt32 i) {
  if (quad_pairs(shape)) return {lane / 4 % 4, lane % 4 + (lane >= 16 ? 4 : 0), i};
  const UInt32 per_register = mma_elements_per_register(shape);
  const UInt32 reg = i / per_register;
  return {0, lane / 4 + 8 * (reg % 2), lane % 4 * per_register + i % per_register + 4 * per_register * (reg / 2)};
}

/// Element `i` of `lane` in B (column-major kind): row is the index along k.
constexpr MmaPlace mma_b_place(const MmaShape& shape, UInt32 lane, UInt32 i) {
  if (quad_pairs(shape)) return {lane / 4 % 4, i, lane % 4 + (lane >= 16 ? 4 : 0)};
  const UInt32 per_register = mma_elements_per_register(shape);
  return {0, lane % 4 * per_register + i % per_register + 4 * per_register * (i / per_register), lane / 4};
}

/// Element `i` of `lane` in the accumulators.
constexpr MmaPlace mma_c_place(const MmaShape& shape, UInt32 lane, UInt32 i) {
  if (!quad_pairs(shape)) return {0, lane / 4 + 8 * (i / 2), lane % 4 * 2 + i % 2};
  const UInt32 upper = lane >= 16 ? 4 : 0;
  if (shape.accumulator == ElementFormat::fp16) return {lane / 4 % 4, lane % 4 + upper, i};
  return {lane / 4 % 4, lane % 2 + i / 2 % 2 * 2 + upper, i / 4 * 4 + lane / 2 % 2 * 2 + i % 2};
}

/// Number of a place among groups * rows * columns.
constexpr UInt32 mma_index(const MmaPlace& place, UInt32 rows, UInt32 columns) {
  return (place.group * rows + place.row) * columns + place.column;
}

constexpr Int32 mma_integer(const MmaShape& shape, UInt64 seed, UInt64 index) {
  const UInt64 choices = UInt64{2} * static_cast<UInt32>(shape.largest_operand) + 1;
  return static_cast<Int32>((hash(seed, index) >> 32) * choices >> 32) - shape.largest_operand;
}

/// A and the B of one chain, as integers.
constexpr Int32 mma_a(const MmaShape& shape, UInt64 seed, const MmaPlace& place) {
  return mma_integer(shape, seed, mma_index(place, shape.m, shape.k));
}
constexpr Int32 mma_b(const MmaShape& shape, UInt64 seed, UInt32 chain, const MmaPlace& place) {
  const UInt32 size = shape.k * shape.n * shape.groups;
  return mma_integer(shape, ~seed, chain * size + mma_index(place, shape.k, shape.n));
}

/// The integer `value`, which the format holds exactly, in a format of `fraction_bits` and `bias`, sign bit left out.
constexpr UInt32 mma_magnitude(Int32 value, UInt32 fraction_bits, UInt32 bias) {
  if (value == 0) return 0;
  const auto size = static_cast<UInt32>(value < 0 ? -value : value);
  const UInt32 leading = 31 - static_cast<UInt32>(__builtin_clz(size));
  const auto significand = static_cast<UInt32>((UInt64{size} << fraction_bits) >> leading);
  // The significand's leading bit counts one exponent step.
  return ((leading + bias - 1) << fraction_bits) + significand;
}

/// An integer in an operand's or accumulator's format; exact within the bounds above.
constexpr UInt64 mma_bits(ElementFormat format, Int32 value) {
  const UInt32 sign = value < 0 ? 1U : 0U;
  switch (format) {
    case ElementFormat::fp64: return bits_of_double(static_cast<double>(value));
    case ElementFormat::fp16: return mma_magnitude(value, 10, 15) | sign << 15;
    case ElementFormat::bf16: return mma_magnitude(value, 7, 127) | sign << 15;
    case ElementFormat::e4m3: return mma_magnitude(value, 3, 7) | sign << 7;
    case ElementFormat::fp32:
    case ElementFormat::tf32: return bits_of_float(static_cast<float>(value));
    case ElementFormat::int8: return static_cast<UInt32>(value) & 0xffU;
    case ElementFormat::e2m1: break;
  }
  return 0;
}

/// A 32-bit register with every element of `format` negated; no int8 element may be -128.
constexpr UInt32 negated_elements(ElementFormat format, UInt32 bits) {
  switch (format) {
    case ElementFormat::fp16:
    case ElementFormat::bf16: return bits ^ 0x80008000U;
    case ElementFormat::e4m3: return bits ^ 0x80808080U;
    // Per byte 0x80 minus the low seven bits lies in 1..0x80: no borrow passes; the sign bit is put right after.
    case ElementFormat::int8: return (0x80808080U - (bits & 0x7f7f7f7fU)) ^ (~bits & 0x80808080U);
    default: return bits ^ 0x80000000U;
  }
}

// results[warp in grid * size + mma_index(place of the element)], size = m * n * groups: the sum over chains and
// iterations of the accumulator's bits, zero-extended, modulo 2^64.

}  // namespace gpuassay::kernels
