// What do all tensor-core kernels share? Operands made in registers, the loop, the sums that are written.
// Device code only; see mma_tile.h for what is computed.
#pragma once

#include "kernels/device.h"
#include "kernels/mma_tile.h"

namespace gpuassay::kernels {

/// Operand register number `reg` of `lane`: those of A come first, then those of each chain's B.
template <const MmaShape& kShape>
__attribute__((device)) inline UInt64 operand_register(UInt64 seed, UInt32 lane, UInt32 reg) {
  constexpr UInt32 kElements = mma_elements_per_register(kShape);
  constexpr UInt32 kA = mma_a_elements(kShape) / kElements;
  constexpr UInt32 kB = mma_b_elements(kShape) / kElements;
  UInt64 bits = 0;
#pragma unroll 1
  for (UInt32 i = 0; i < kElements; ++i) {
    const Int32 value =
        reg < kA ? mma_a(kShape, seed, mma_a_place(kShape, lane, reg * kElements + i))
                 : mma_b(kShape, seed, (reg - kA) / kB, mma_b_place(kShape, lane, (reg - kA) % kB * kElements + i));
    bits |= mma_bits(kShape.operand, value) << (i * 32 / kElements);
  }
  return bits;
}

/// The registers of one warp's part in `kShape`. A policy gives Operand and Accumulator, the register types, and
/// multiply(c, a, b): c <- a * b + c by one instruction.
template <const MmaShape& kShape, class Policy>
struct MmaRegisters {
  using Operand = typename Policy::Operand;
  using Accumulator = typename Policy::Accumulator;
  static constexpr UInt32 kA = mma_a_elements(kShape) / mma_elements_per_register(kShape);
  static constexpr UInt32 kB = mma_b_elements(kShape) / mma_elements_per_register(kShape);
  /// Accumulators per 32-bit register: two in binary16.
  static constexpr UInt32 kPacked = kShape.accumulator == ElementFormat::fp16 ? 2 : 1;
  static constexpr UInt32 kC = mma_c_elements(kShape) / kPacked;

  Operand a[kA];
  Operand minus_a[kA];
  Operand b[kMmaChains][kB];
  Accumulator c[kMmaChains][kC];

  __attribute__((device)) void make_operands(UInt64 seed, UInt32 lane) {
    constexpr UInt32 kCount = kA + kMmaChains * kB;
    // A loop that is not unrolled keeps every image small; its array lies in local memory and is read once.
    Operand made[kCount];
#pragma unroll 1
    for (UInt32 reg = 0; reg < kCount; ++reg) made[reg] = Policy::operand(operand_register<kShape>(seed, lane, reg));
#pragma unroll
    for (UInt32 reg = 0; reg < kA; ++reg) {
      a[reg] = made[reg];
      minus_a[reg] = Policy::negated(kShape.operand, made[reg]);
    }
#pragma unroll
    for (UInt32 chain = 0; chain < kMmaChains; ++chain) {
#pragma unroll
      for (UInt32 reg = 0; reg < kB; ++reg) b[chain][reg] = made[kA + chain * kB + reg];
    }
  }

  __attribute__((device)) void start(UInt32 value) {
#pragma unroll
    for (UInt32 chain = 0; chain < kMmaChains; ++chain) {
#pragma unroll
      for (UInt32 reg = 0; reg < kC; ++reg) c[chain][reg] = Policy::start(value);
    }
  }

  __attribute__((device)) void step(const Operand (&factor)[kA]) {
#pragma unroll
    for (UInt32 chain = 0; chain < kMmaChains; ++chain) Policy::multiply(c[chain], factor, b[chain]);
  }
};

template <const MmaShape& kShape, class Policy>
__attribute__((device)) inline void run_mma(const ComputeArguments& arguments) {
  using Registers = MmaRegisters<kShape, Policy>;
  const UInt32 lane = thread_in_block() % 32;
  Registers registers;
  registers.make_operands(arguments.seed, lane);
  UInt64 sums[Registers::kC * Registers::kPacked] = {};
#pragma unroll 1
  for (UInt32 iteration = 0; iteration < arguments.iterations; ++iteration) {
    registers.start(iteration % 8);
#pragma unroll 1
    for (UInt32 turn = 0; turn < kMmaSteps / 2; ++turn) {
      registers.step(registers.a);
      registers.step(registers.minus_a);
    }
    registers.step(registers.a);
#pragma unroll
    for (UInt32 chain = 0; chain < kMmaChains; ++chain) {
#pragma unroll
      for (UInt32 reg = 0; reg < Registers::kC; ++reg)
        Policy::add_bits(sums + reg * Registers::kPacked, registers.c[chain][reg]);
    }
  }
  constexpr UInt32 kSize = kShape.m * kShape.n * kShape.groups;
  auto* const results = global_pointer<UInt64>(arguments.results) + thread_in_grid() / 32 * kSize;
#pragma unroll
  for (UInt32 i = 0; i < Registers::kC * Registers::kPacked; ++i) {
    results[mma_index(mma_c_place(kShape, lane, i), kShape.m, kShape.n)] = sums[i];
  }
}

/// Register types and sums by kind of accumulator; a kernel's policy adds multiply().
struct Narrow32 {
  using Operand = UInt32;
  __attribute__((device)) static Operand operand(UInt64 bits) { return static_cast<UInt32>(bits); }
  __attribute__((device)) static Operand negated(ElementFormat format, UInt32 bits) {
    return negated_elements(format, bits);
  }
};

struct FloatAccumulator : Narrow32 {
  using Accumulator = float;
  __attribute__((device)) static float start(UInt32 value) { return static_cast<float>(value); }
  __attribute__((device)) static void add_bits(UInt64* sums, float c) { sums[0] += bits_of_float(c); }
};

struct HalfAccumulator : Narrow32 {
  using Accumulator = UInt32;
  __attribute__((device)) static UInt32 start(UInt32 value) {
    return mma_magnitude(static_cast<Int32>(value), 10, 15) * 0x10001U;
  }
  __attribute__((device)) static void add_bits(UInt64* sums, UInt32 c) {
    sums[0] += c & 0xffffU;
    sums[1] += c >> 16;
  }
};

struct IntegerAccumulator : Narrow32 {
  using Accumulator = UInt32;
  __attribute__((device)) static UInt32 start(UInt32 value) { return value; }
  __attribute__((device)) static void add_bits(UInt64* sums, UInt32 c) { sums[0] += c; }
};

struct DoubleAccumulator {
  using Operand = double;
  using Accumulator = double;
  __attribute__((device)) static double operand(UInt64 bits) { return double_of(bits); }
  __attribute__((device)) static double negated(ElementFormat, double value) { return -value; }
  __attribute__((device)) static double start(UInt32 value) { return static_cast<double>(value); }
  __attribute__((device)) static void add_bits(UInt64* sums, double c) { sums[0] += bits_of_double(c); }
};

}  // namespace gpuassay::kernels
