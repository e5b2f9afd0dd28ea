#include "core/floor/philox.h"

namespace gpuassay {
namespace {

constexpr unsigned kWordBits = 32;

using Words = std::array<std::uint32_t, kPhiloxBlocks>;

/// The same round of all blocks: a loop that compilers make vector instructions of.
void round_of(std::array<Words, 4>& lanes, std::uint32_t key0, std::uint32_t key1) {
  for (std::size_t i = 0; i < kPhiloxBlocks; ++i) {
    const std::uint64_t product0 = std::uint64_t{kPhiloxMultiplier0} * lanes[0][i];
    const std::uint64_t product1 = std::uint64_t{kPhiloxMultiplier1} * lanes[2][i];
    const std::uint32_t new0 = static_cast<std::uint32_t>(product1 >> kWordBits) ^ lanes[1][i] ^ key0;
    const std::uint32_t new2 = static_cast<std::uint32_t>(product0 >> kWordBits) ^ lanes[3][i] ^ key1;
    lanes[0][i] = new0;
    lanes[1][i] = static_cast<std::uint32_t>(product1);
    lanes[2][i] = new2;
    lanes[3][i] = static_cast<std::uint32_t>(product0);
  }
}

}  // namespace

void philox_blocks(const PhiloxStream& stream, std::uint64_t first, std::array<unsigned char, kPhiloxBytes>& bytes) {
  std::array<Words, 4> lanes{};
  for (std::size_t i = 0; i < kPhiloxBlocks; ++i) {
    lanes[0][i] = static_cast<std::uint32_t>(first + i);
    lanes[1][i] = static_cast<std::uint32_t>((first + i) >> kWordBits);
    lanes[2][i] = stream.high[0];
    lanes[3][i] = stream.high[1];
  }
  std::uint32_t key0 = stream.key[0], key1 = stream.key[1];
  for (int round = 0; round < kPhiloxRounds; ++round) {
    round_of(lanes, key0, key1);
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  constexpr std::size_t kLaneBytes = 4, kByteBits = 8;
  for (std::size_t block = 0; block < kPhiloxBlocks; ++block) {
    for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
      for (std::size_t byte = 0; byte < kLaneBytes; ++byte)
        bytes[(block * lanes.size() + lane) * kLaneBytes + byte] =
            static_cast<unsigned char>(lanes[lane][block] >> (kByteBits * byte));
    }
  }
}

}  // namespace gpuassay
