// What is element `index` of tensor `seed`? A near-normal number (mean 0, standard deviation 1) that host, device and
// the fake driver compute alike, bit for bit, with no state: any element is to be had without those before it.
// Functions are constexpr so that clang takes them for device code as well.
#pragma once

#include "kernels/fixed_width.h"
#include "kernels/number_formats.h"

namespace gpuassay::kernels {

/// The same function as random_bits of agent/workloads/random_inputs.h: SplitMix64, the `index`-th number of `seed`.
constexpr UInt64 hash(UInt64 seed, UInt64 index) {
  UInt64 z = seed + (index + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// Largest magnitude of normal_integer.
inline constexpr Int32 kNormalIntegerLimit = 2 * 65535;

/// Sum of the hash's four 16-bit fields, centred: four uniform numbers added are near normal (Irwin-Hall, n = 4).
/// Variance 4 (65536^2 - 1) / 12, as each field is uniform on 65536 integers.
constexpr Int32 normal_integer(UInt64 seed, UInt64 index) {
  const UInt64 bits = hash(seed, index);
  const UInt64 sum = (bits & 0xffffU) + ((bits >> 16) & 0xffffU) + ((bits >> 32) & 0xffffU) + (bits >> 48);
  return static_cast<Int32>(sum) - kNormalIntegerLimit;
}

/// 1 / sqrt((65536^2 - 1) / 3), as a double and rounded to binary32.
inline constexpr double kNormalScale = 2.6428997921303014e-05;
inline constexpr float kNormalScaleFloat = static_cast<float>(kNormalScale);

/// Exactly one binary32 multiplication of an exact integer, so every IEEE machine gives the same bits. |x| < 3.465.
constexpr float normal_float(UInt64 seed, UInt64 index) {
  return static_cast<float>(normal_integer(seed, index)) * kNormalScaleFloat;
}

/// The same integer times the same factor in binary64: all 53 bits of the significand are in use.
constexpr double normal_double(UInt64 seed, UInt64 index) {
  return static_cast<double>(normal_integer(seed, index)) * kNormalScale;
}

/// int8 elements are the normal number times this, rounded to nearest even: -83..83.
inline constexpr float kInt8Scale = 24.0F;
/// e2m1 elements are the normal number times this, so that all sixteen codes occur; beyond 6 they saturate.
inline constexpr float kE2m1Scale = 2.0F;

/// The element that the number normal_integer becomes in `format`: its bits, in the low bits_of(format) bits.
constexpr UInt64 bits_of_normal(ElementFormat format, Int32 integer) {
  if (format == ElementFormat::fp64) return bits_of_double(static_cast<double>(integer) * kNormalScale);
  const float value = static_cast<float>(integer) * kNormalScaleFloat;
  switch (format) {
    case ElementFormat::fp32: return bits_of_float(value);
    case ElementFormat::tf32: return tf32_bits(value);
    case ElementFormat::int8: return int8_bits(value * kInt8Scale);
    default: break;
  }
  // One conversion for all narrow formats keeps the fill kernel small; times 1 changes no bit.
  return narrow_from_float(narrow_format(format), value * (format == ElementFormat::e2m1 ? kE2m1Scale : 1.0F));
}

/// Element `index` of tensor `seed` in `format`. This one function defines what the fill kernel writes, what the host
/// reference multiplies and what the fake driver imagines in a buffer.
constexpr UInt64 element_bits(ElementFormat format, UInt64 seed, UInt64 index) {
  return bits_of_normal(format, normal_integer(seed, index));
}

/// The exact value of that element.
constexpr double element_value(ElementFormat format, UInt64 seed, UInt64 index) {
  return value_of(format, element_bits(format, seed, index));
}

}  // namespace gpuassay::kernels
