// Operands with AVX2: eight blocks of Philox4x32-10 in each register, two sets of them in flight.
#include <immintrin.h>

#include "agent/floor/operand_fill_avx2.h"
#include "core/floor/philox.h"

namespace gpuassay {
namespace {  // one copy, never merged with one for other CPUs by the linker

constexpr int kWordBits = 32, kOddWords = 0xAA;
constexpr std::uint64_t kRegisterBlocks = 8, kBlockBytes = 16, kBlocksAtOnce = 2 * kRegisterBlocks;

/// Word w of eight blocks, for w = 0 to 3.
struct Blocks {
  __m256i word0, word1, word2, word3;
};

struct Product {
  __m256i high, low;
};

/// The halves of the 64-bit products of every word with `multiplier`.
inline Product multiply(__m256i words, __m256i multiplier) {
  const __m256i even = _mm256_mul_epu32(words, multiplier);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(words, kWordBits), multiplier);
  return {_mm256_blend_epi32(_mm256_srli_epi64(even, kWordBits), odd, kOddWords),
          _mm256_blend_epi32(even, _mm256_slli_epi64(odd, kWordBits), kOddWords)};
}

inline Blocks first_words(const OperandRange& range, std::uint64_t block) {
  // The first of sixteen, or the ninth: the lower word does not wrap within eight.
  const __m256i word0 = _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(static_cast<std::uint32_t>(block))),
                                         _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  const __m256i word1 = _mm256_set1_epi32(static_cast<int>(block >> kWordBits));
  return {word0, word1, _mm256_set1_epi32(static_cast<int>(range.high[0])),
          _mm256_set1_epi32(static_cast<int>(range.high[1]))};
}

inline Blocks round_of(const Blocks& x, __m256i key0, __m256i key1) {
  const Product product0 = multiply(x.word0, _mm256_set1_epi32(static_cast<int>(kPhiloxMultiplier0)));
  const Product product1 = multiply(x.word2, _mm256_set1_epi32(static_cast<int>(kPhiloxMultiplier1)));
  return {_mm256_xor_si256(_mm256_xor_si256(product1.high, x.word1), key0), product1.low,
          _mm256_xor_si256(_mm256_xor_si256(product0.high, x.word3), key1), product0.low};
}

/// 16 bytes of the stream as 16-bit integers within +-largest.
struct ToIntegers {
  __m256i values, largest;
  __m256i operator()(__m128i bytes) const {
    const __m256i scaled = _mm256_mullo_epi16(_mm256_cvtepu8_epi16(bytes), values);
    return _mm256_sub_epi16(_mm256_srli_epi16(scaled, 8), largest);
  }
};

inline __m256 low_floats(__m256i integers) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm256_castsi256_si128(integers)));
}
inline __m256 high_floats(__m256i integers) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(_mm256_extracti128_si256(integers, 1)));
}

inline void write(__m256i integers, float* out) {
  _mm256_storeu_ps(out, low_floats(integers));
  _mm256_storeu_ps(out + 8, high_floats(integers));
}

/// The upper halves of the floats: the lower ones of such small integers are zero.
inline void write(__m256i integers, Bfloat16* out) {
  constexpr int kHalfBits = 16, kInOrder = 0xD8;
  const __m256i low = _mm256_srli_epi32(_mm256_castps_si256(low_floats(integers)), kHalfBits);
  const __m256i high = _mm256_srli_epi32(_mm256_castps_si256(high_floats(integers)), kHalfBits);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                      _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), kInOrder));
}

inline void write(__m256i integers, std::int8_t* out) {
  const __m128i low = _mm256_castsi256_si128(integers), high = _mm256_extracti128_si256(integers, 1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_packs_epi16(low, high));
}

template <class T>
void write_pair(__m256i two_blocks, const ToIntegers& to_integers, T* out) {
  write(to_integers(_mm256_castsi256_si128(two_blocks)), out);
  write(to_integers(_mm256_extracti128_si256(two_blocks, 1)), out + kBlockBytes);
}

/// Block after block, each with its four words in order.
template <class T>
void write_blocks(const Blocks& x, const ToIntegers& to_integers, T* out) {
  constexpr int kLowHalves = 0x20, kHighHalves = 0x31;
  const __m256i low01 = _mm256_unpacklo_epi32(x.word0, x.word1), low23 = _mm256_unpacklo_epi32(x.word2, x.word3);
  const __m256i high01 = _mm256_unpackhi_epi32(x.word0, x.word1), high23 = _mm256_unpackhi_epi32(x.word2, x.word3);
  const __m256i blocks04 = _mm256_unpacklo_epi64(low01, low23), blocks15 = _mm256_unpackhi_epi64(low01, low23);
  const __m256i blocks26 = _mm256_unpacklo_epi64(high01, high23), blocks37 = _mm256_unpackhi_epi64(high01, high23);
  write_pair(_mm256_permute2x128_si256(blocks04, blocks15, kLowHalves), to_integers, out);
  write_pair(_mm256_permute2x128_si256(blocks26, blocks37, kLowHalves), to_integers, out + 2 * kBlockBytes);
  write_pair(_mm256_permute2x128_si256(blocks04, blocks15, kHighHalves), to_integers, out + 4 * kBlockBytes);
  write_pair(_mm256_permute2x128_si256(blocks26, blocks37, kHighHalves), to_integers, out + 6 * kBlockBytes);
}

template <class T>
void fill(const OperandRange& range, T* out) {
  const ToIntegers to_integers{_mm256_set1_epi16(static_cast<std::int16_t>(2 * range.largest + 1)),
                               _mm256_set1_epi16(static_cast<std::int16_t>(range.largest))};
  const __m256i weyl0 = _mm256_set1_epi32(static_cast<int>(kPhiloxWeyl0));
  const __m256i weyl1 = _mm256_set1_epi32(static_cast<int>(kPhiloxWeyl1));
  const std::uint64_t begin = range.first / kBlockBytes, end = begin + range.count / kBlockBytes;
  for (std::uint64_t block = begin; block < end; block += kBlocksAtOnce) {
    Blocks one = first_words(range, block), other = first_words(range, block + kRegisterBlocks);
    __m256i key0 = _mm256_set1_epi32(static_cast<int>(range.key[0]));
    __m256i key1 = _mm256_set1_epi32(static_cast<int>(range.key[1]));
    for (int round = 0; round < kPhiloxRounds; ++round) {
      one = round_of(one, key0, key1);
      other = round_of(other, key0, key1);
      key0 = _mm256_add_epi32(key0, weyl0);
      key1 = _mm256_add_epi32(key1, weyl1);
    }
    write_blocks(one, to_integers, out);
    write_blocks(other, to_integers, out + kRegisterBlocks * kBlockBytes);
    out += kBlocksAtOnce * kBlockBytes;
  }
}

}  // namespace

void avx2_fill_operands(const OperandRange& range, std::int8_t* out) { fill(range, out); }
void avx2_fill_operands(const OperandRange& range, Bfloat16* out) { fill(range, out); }
void avx2_fill_operands(const OperandRange& range, float* out) { fill(range, out); }

}  // namespace gpuassay
