// How does a number become an element of a tensor, and what is an element worth? Conversions from binary32 and binary64
// into the formats that GPUs compute with, by integer arithmetic alone, so that host, device and the fake driver agree
// bit for bit; and exact decoders. Sources: IEEE 754-2019; OCP 8-bit floating point 1.0 (e4m3); OCP MX 1.0 (e2m1).
// Functions are constexpr so that clang takes them for device code as well.
#pragma once

#include "kernels/fixed_width.h"

namespace gpuassay::kernels {

/// Formats of tensor elements; the numbers travel in kernel arguments.
enum class ElementFormat : UInt32 {
  fp64 = 0,
  fp32 = 1,
  tf32 = 2,  ///< binary32 whose significand is rounded to 10 fraction bits; four bytes
  fp16 = 3,
  bf16 = 4,
  e4m3 = 5,  ///< one byte, largest 448, no infinity
  int8 = 6,
  e2m1 = 7,  ///< four bits, two per byte, element 0 in the low half; 0 0.5 1 1.5 2 3 4 6
};

/// Size of one element in bits.
constexpr UInt32 bits_of(ElementFormat format) {
  switch (format) {
    case ElementFormat::fp64: return 64;
    case ElementFormat::fp32:
    case ElementFormat::tf32: return 32;
    case ElementFormat::fp16:
    case ElementFormat::bf16: return 16;
    case ElementFormat::e4m3:
    case ElementFormat::int8: return 8;
    case ElementFormat::e2m1: return 4;
  }
  return 0;
}

constexpr UInt32 bits_of_float(float value) { return __builtin_bit_cast(UInt32, value); }
constexpr UInt64 bits_of_double(double value) { return __builtin_bit_cast(UInt64, value); }
constexpr float float_of(UInt32 bits) { return __builtin_bit_cast(float, bits); }
constexpr double double_of(UInt64 bits) { return __builtin_bit_cast(double, bits); }

/// A binary floating-point format narrower than binary32.
struct NarrowFormat {
  Int32 fraction_bits;
  Int32 bias;
  UInt32 sign;      ///< the sign bit
  UInt32 largest;   ///< code of the largest finite number
  UInt32 overflow;  ///< code of what is larger still: infinity, or `largest` where the conversion saturates
  UInt32 nan;       ///< code of not-a-number; the largest number where the format has none
};

inline constexpr NarrowFormat kFp16{10, 15, 0x8000, 0x7bff, 0x7c00, 0x7e00};
inline constexpr NarrowFormat kBf16{7, 127, 0x8000, 0x7f7f, 0x7f80, 0x7fc0};
inline constexpr NarrowFormat kE4m3{3, 7, 0x80, 0x7e, 0x7e, 0x7f};
inline constexpr NarrowFormat kE2m1{1, 1, 0x8, 0x7, 0x7, 0x7};

/// The narrow format of that name; kFp16 for those that are none.
constexpr NarrowFormat narrow_format(ElementFormat format) {
  if (format == ElementFormat::bf16) return kBf16;
  if (format == ElementFormat::e4m3) return kE4m3;
  return format == ElementFormat::e2m1 ? kE2m1 : kFp16;
}

/// `value` / 2^`shift`, rounded to nearest, ties to even. 0 <= shift.
constexpr UInt64 shift_right_to_nearest_even(UInt64 value, Int32 shift) {
  if (shift == 0) return value;
  if (shift > 62) return 0;  // every caller's value is below 2^54: less than a half is left
  const UInt64 kept = value >> shift;
  const UInt64 rest = value & ((1ULL << shift) - 1);
  const UInt64 half = 1ULL << (shift - 1);
  return kept + ((rest > half || (rest == half && (kept & 1U) != 0)) ? 1 : 0);
}

/// Code of the number (-1)^negative * significand * 2^(exponent - fraction), rounded to nearest even. `significand` is
/// 0 or has its leading bit at `fraction`, or lies below that when `exponent` is the source format's smallest.
constexpr UInt32 narrow(const NarrowFormat& to, bool negative, UInt64 significand, Int32 exponent, Int32 fraction) {
  const Int32 smallest = 1 - to.bias;
  const Int32 below = exponent < smallest ? smallest - exponent : 0;
  const UInt64 rounded = shift_right_to_nearest_even(significand, fraction - to.fraction_bits + below);
  // A carry out of the fraction moves into the exponent by itself, from subnormal to normal too.
  const UInt64 above = below > 0 ? 0 : static_cast<UInt64>(exponent - smallest) << to.fraction_bits;
  const UInt64 code = rounded + above;
  return (code > to.largest ? to.overflow : static_cast<UInt32>(code)) | (negative ? to.sign : 0);
}

/// Code of a binary32 number.
constexpr UInt32 narrow_from_float(const NarrowFormat& to, float value) {
  const UInt32 bits = bits_of_float(value);
  const UInt32 magnitude = bits & 0x7fffffffU;
  const bool negative = (bits >> 31) != 0;
  if (magnitude >= 0x7f800000U) return (magnitude > 0x7f800000U ? to.nan : to.overflow) | (negative ? to.sign : 0);
  const auto field = static_cast<Int32>(magnitude >> 23);
  const UInt64 fraction = magnitude & 0x7fffffU;
  return field == 0 ? narrow(to, negative, fraction, -126, 23)
                    : narrow(to, negative, fraction | 0x800000U, field - 127, 23);
}

/// Code of a binary64 number: one rounding, where going through binary32 would be two.
constexpr UInt32 narrow_from_double(const NarrowFormat& to, double value) {
  const UInt64 bits = bits_of_double(value);
  const UInt64 magnitude = bits & 0x7fffffffffffffffULL;
  const bool negative = (bits >> 63) != 0;
  constexpr UInt64 kInfinity = 0x7ff0000000000000ULL;
  if (magnitude >= kInfinity) return (magnitude > kInfinity ? to.nan : to.overflow) | (negative ? to.sign : 0);
  const auto field = static_cast<Int32>(magnitude >> 52);
  const UInt64 fraction = magnitude & 0xfffffffffffffULL;
  return field == 0 ? narrow(to, negative, fraction, -1022, 52)
                    : narrow(to, negative, fraction | (1ULL << 52), field - 1023, 52);
}

constexpr UInt32 fp16_bits(float value) { return narrow_from_float(kFp16, value); }
constexpr UInt32 bf16_bits(float value) { return narrow_from_float(kBf16, value); }
/// Saturates at 448; not-a-number stays one.
constexpr UInt32 e4m3_bits(float value) { return narrow_from_float(kE4m3, value); }
/// Saturates at 6; the format has no not-a-number.
constexpr UInt32 e2m1_bits(float value) { return narrow_from_float(kE2m1, value); }

/// The binary32 bits of `value` rounded to 10 fraction bits, nearest even. Not-a-number keeps its upper bits.
constexpr UInt32 tf32_bits(float value) {
  const UInt32 bits = bits_of_float(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return (bits | 0x400000U) & ~0x1fffU;
  return (bits + 0xfffU + ((bits >> 13) & 1U)) & ~0x1fffU;
}

/// `value` rounded to the nearest integer, ties to even, clipped to -127..127, as a byte in two's complement.
/// Not-a-number gives 0.
constexpr UInt32 int8_bits(float value) {
  const UInt32 bits = bits_of_float(value);
  const UInt32 magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return 0;
  const Int32 exponent = static_cast<Int32>(magnitude >> 23) - 127;
  UInt64 rounded = 127;
  if (exponent < 7) rounded = shift_right_to_nearest_even((magnitude & 0x7fffffU) | 0x800000U, 23 - exponent);
  if (rounded > 127) rounded = 127;
  const auto integer = static_cast<Int32>(rounded);
  return static_cast<UInt32>((bits >> 31) != 0 ? -integer : integer) & 0xffU;
}

/// 2^exponent, exact; -1022 <= exponent <= 1023.
constexpr double power_of_two(Int32 exponent) { return double_of(static_cast<UInt64>(exponent + 1023) << 52); }

/// Exact value of a code of a narrow format.
constexpr double narrow_value(const NarrowFormat& from, UInt32 code) {
  const double sign = (code & from.sign) != 0 ? -1.0 : 1.0;
  const UInt32 magnitude = code & (from.sign - 1);
  if (magnitude > from.largest) {
    const bool infinite = magnitude == from.overflow;
    return double_of((infinite ? 0x7ff0000000000000ULL : 0x7ff8000000000000ULL) |
                     ((code & from.sign) != 0 ? 1ULL << 63 : 0));
  }
  const auto field = static_cast<Int32>(magnitude >> from.fraction_bits);
  const UInt32 fraction = magnitude & ((1U << from.fraction_bits) - 1);
  const UInt32 significand = field == 0 ? fraction : fraction | (1U << from.fraction_bits);
  const Int32 exponent = (field == 0 ? 1 : field) - from.bias - from.fraction_bits;
  return sign * static_cast<double>(significand) * power_of_two(exponent);
}

/// Exact value of an element given by its bits.
constexpr double value_of(ElementFormat format, UInt64 bits) {
  const auto low = static_cast<UInt32>(bits);
  switch (format) {
    case ElementFormat::fp64: return double_of(bits);
    case ElementFormat::fp32:
    case ElementFormat::tf32: return static_cast<double>(float_of(low));
    case ElementFormat::fp16: return narrow_value(kFp16, low);
    case ElementFormat::bf16: return narrow_value(kBf16, low);
    case ElementFormat::e4m3: return narrow_value(kE4m3, low);
    case ElementFormat::int8: return static_cast<double>(static_cast<Int8>(low));
    case ElementFormat::e2m1: return narrow_value(kE2m1, low);
  }
  return 0;
}

}  // namespace gpuassay::kernels
