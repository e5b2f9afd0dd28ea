// Which integers are in the matrices of a verified run? Philox4x32-10 (J. Salmon et al., Parallel random numbers: as
// easy as 1, 2, 3; SC 2011), as core/floor has it, for device code and the fake driver. What is made here is compared
// with core/floor, which shares no line with it. Functions are constexpr so that clang takes them for device code as
// well.
#pragma once

#include "kernels/number_formats.h"

namespace gpuassay::kernels {

/// The 64-bit key and the upper half of the 128-bit counter; the lower half numbers the blocks.
struct PhiloxKey {
  UInt32 key[2];
  UInt32 high[2];
};

/// Sixteen random bytes: byte e is bits 8 * (e % 4) and up of word e / 4.
struct PhiloxBlock {
  UInt32 word[4];
};
inline constexpr UInt32 kPhiloxBlockBytes = 16;

constexpr PhiloxBlock philox_block(const PhiloxKey& stream, UInt64 number) {
  constexpr UInt64 kMultiplier0 = 0xd2511f53U, kMultiplier1 = 0xcd9e8d57U;
  constexpr UInt32 kWeyl0 = 0x9e3779b9U, kWeyl1 = 0xbb67ae85U;
  constexpr int kRounds = 10;
  UInt32 c0 = static_cast<UInt32>(number), c1 = static_cast<UInt32>(number >> 32);
  UInt32 c2 = stream.high[0], c3 = stream.high[1], key0 = stream.key[0], key1 = stream.key[1];
  for (int round = 0; round < kRounds; ++round) {
    const UInt64 product0 = kMultiplier0 * c0, product1 = kMultiplier1 * c2;
    c0 = static_cast<UInt32>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<UInt32>(product1);
    c2 = static_cast<UInt32>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<UInt32>(product0);
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return {{c0, c1, c2, c3}};
}

/// Element e of the block: an integer from -largest to largest.
constexpr Int32 philox_integer(const PhiloxBlock& block, UInt32 e, UInt32 largest) {
  const UInt32 byte = block.word[e / 4] >> (8 * (e % 4)) & 0xffU;
  return static_cast<Int32>(byte * (2 * largest + 1) >> 8) - static_cast<Int32>(largest);
}

/// An integer from -127 to 127 as binary32: 2^23 + 128 + integer is put together from bits and 2^23 + 128 taken away,
/// which is exact. Conversion instructions take GPUs four to eight times as long.
constexpr float float_of_integer(Int32 integer) {
  return float_of(0x4b000000U | static_cast<UInt32>(integer + 128)) - 8388736.0F;
}

/// The bits of an integer from -127 to 127 in fp32, fp16, bf16 or int8; 0 in other formats. All four hold it exactly.
constexpr UInt32 bits_of_integer(ElementFormat format, Int32 integer) {
  switch (format) {
    case ElementFormat::fp32: return bits_of_float(float_of_integer(integer));
    case ElementFormat::bf16: return bits_of_float(float_of_integer(integer)) >> 16;
    case ElementFormat::fp16: {
      // The exponent's bias is 15 and not 127, and there are 13 bits less of the fraction.
      const UInt32 rebiased = bits_of_float(float_of_integer(integer) * 0x1p-112F);
      return (rebiased >> 16 & 0x8000U) | (rebiased >> 13 & 0x7fffU);
    }
    case ElementFormat::int8: return static_cast<UInt32>(integer) & 0xffU;
    default: return 0;
  }
}

}  // namespace gpuassay::kernels
