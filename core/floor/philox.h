// Which random numbers belong to this key and this place? Counter-based, so that any element of a matrix can be made
// without those before it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gpuassay {

/// The 64-bit key and the upper half of the 128-bit counter; the lower half numbers the blocks.
struct PhiloxStream {
  std::array<std::uint32_t, 2> key{};
  std::array<std::uint32_t, 2> high{};

  friend bool operator==(const PhiloxStream&, const PhiloxStream&) = default;
};

/// Blocks of 16 bytes that philox_blocks() makes at a time: a row of vector registers for each word.
inline constexpr std::size_t kPhiloxBlocks = 16;
inline constexpr std::size_t kPhiloxBytes = kPhiloxBlocks * 16;

/// Of the generator: multipliers of words 0 and 2, what is added to the keys between rounds, rounds.
inline constexpr std::uint32_t kPhiloxMultiplier0 = 0xD2511F53, kPhiloxMultiplier1 = 0xCD9E8D57;
inline constexpr std::uint32_t kPhiloxWeyl0 = 0x9E3779B9, kPhiloxWeyl1 = 0xBB67AE85;
inline constexpr int kPhiloxRounds = 10;

/// Philox4x32-10 (J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3; SC 2011): blocks `first` to
/// `first` + kPhiloxBlocks - 1 of the stream, each four words in little-endian order.
void philox_blocks(const PhiloxStream& stream, std::uint64_t first, std::array<unsigned char, kPhiloxBytes>& bytes);

}  // namespace gpuassay
