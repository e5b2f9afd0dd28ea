#include "core/floor/operands.h"

#include <cstring>
#include <string>

namespace gpuassay {
namespace {

constexpr std::size_t kWordBytes = 4;

void append_number(std::string& text, std::uint32_t number) {
  constexpr unsigned kByteBits = 8;
  for (std::size_t byte = 0; byte < kWordBytes; ++byte) text.push_back(static_cast<char>(number >> (kByteBits * byte)));
}

void append_bytes(std::string& text, std::span<const unsigned char> bytes) {
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::uint32_t word_at(const Digest& digest, std::size_t index) {
  constexpr unsigned kByteBits = 8;
  std::uint32_t word = 0;
  for (std::size_t byte = 0; byte < kWordBytes; ++byte)
    word |= std::uint32_t{digest[index * kWordBytes + byte]} << (kByteBits * byte);
  return word;
}

PhiloxStream stream_of(const std::string& message) {
  const Digest digest = merkle_leaf_hash(message);
  return {{word_at(digest, 0), word_at(digest, 1)}, {word_at(digest, 2), word_at(digest, 3)}};
}

std::string message_of(std::string_view operand, const FloorSeed& seed, int device) {
  std::string message("gpuassay-floor-v1 ");
  message += operand;
  append_bytes(message, seed);
  append_number(message, static_cast<std::uint32_t>(device));
  return message;
}

}  // namespace

PhiloxStream stream_of_b(const FloorSeed& seed, int device) { return stream_of(message_of("B", seed, device)); }

PhiloxStream stream_of_a(const FloorSeed& seed, int device, std::uint32_t step, const Digest& before) {
  std::string message = message_of("A", seed, device);
  append_number(message, step);
  append_bytes(message, before);
  return stream_of(message);
}

void fill_integers(const PhiloxStream& stream, int largest, std::uint64_t first, std::span<std::int8_t> out) {
  constexpr std::uint64_t kBlockBytes = kPhiloxBytes / kPhiloxBlocks;
  const int values = 2 * largest + 1;
  constexpr unsigned kByteBits = 8;
  std::array<unsigned char, kPhiloxBytes> bytes{};
  for (std::size_t at = 0; at < out.size(); at += kPhiloxBytes) {
    philox_blocks(stream, (first + at) / kBlockBytes, bytes);
    for (std::size_t i = 0; i < kPhiloxBytes; ++i)
      out[at + i] = static_cast<std::int8_t>(((bytes[i] * values) >> kByteBits) - largest);
  }
}

}  // namespace gpuassay
