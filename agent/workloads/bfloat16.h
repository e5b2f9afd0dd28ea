// How does a float become a bfloat16? Round to nearest, ties to even, as the hardware does.
#pragma once

#include <bit>
#include <cstdint>

namespace gpuassay {

/// The upper 16 bits of an IEEE binary32.
struct Bfloat16 {
  std::uint16_t bits;
};

/// `value` must not be NaN.
constexpr Bfloat16 bfloat16_from(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return {static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16)};
}

/// Exact.
constexpr float float_from(Bfloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16);
}

/// Exact value of one operand element, for float64 references.
constexpr double exact_value(double value) { return value; }
constexpr double exact_value(float value) { return static_cast<double>(value); }
constexpr double exact_value(Bfloat16 value) { return static_cast<double>(float_from(value)); }
constexpr double exact_value(std::uint8_t value) { return value; }
constexpr double exact_value(std::int8_t value) { return value; }
constexpr double exact_value(std::int32_t value) { return value; }

}  // namespace gpuassay
