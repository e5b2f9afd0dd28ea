#include "agent/floor/tile_hashing.h"

#include <openssl/evp.h>

#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "core/floor/shape.h"

namespace gpuassay {
namespace {

void require_openssl(bool worked) {
  if (!worked) throw Error(ErrorCode::internal, "OpenSSL does not compute SHA-256");
}

/// What is hashed of a tile: a zero byte, as merkle_leaf_hash() has it, and the numbers.
using LeafBytes = std::array<unsigned char, 1 + kTileElements * sizeof(std::int32_t)>;

/// One tile after another; a digest that is begun anew is far cheaper than a new one.
class LeafHasher {
 public:
  LeafHasher() {
    require_openssl(context_ && sha256_ && EVP_DigestInit_ex(context_.get(), sha256_.get(), nullptr) == 1);
  }

  void hash(const LeafBytes& bytes, Digest& digest) const {
    require_openssl(EVP_DigestInit_ex(context_.get(), nullptr, nullptr) == 1 &&
                    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  std::unique_ptr<EVP_MD, void (*)(EVP_MD*)> sha256_{EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free};
};

/// What no int32 holds, as of a library that gives nonsense, becomes a number that no product is.
std::uint32_t word_of(float number) {
  constexpr float kBound = 0x1p30F;
  const bool fits = number > -kBound && number < kBound;
  return fits ? static_cast<std::uint32_t>(static_cast<std::int32_t>(number)) : 0x7fffffffU;
}
std::uint32_t word_of(std::int32_t number) { return static_cast<std::uint32_t>(number); }

template <class T>
void hash_rows(const T* result, std::int64_t columns, std::span<Digest> digests) {
  static_assert(std::endian::native == std::endian::little, "the words of a tile are written as they lie in memory");
  const LeafHasher hasher;
  LeafBytes bytes{};
  const std::int64_t across = columns / kTileSide;
  for (std::size_t tile = 0; tile < digests.size(); ++tile) {
    const auto number = static_cast<std::int64_t>(tile);
    const T* corner = result + number / across * kTileSide * columns + number % across * kTileSide;
    std::array<std::uint32_t, kTileElements> words{};
    for (std::int64_t row = 0; row < kTileSide; ++row) {
      for (std::int64_t column = 0; column < kTileSide; ++column)
        words[static_cast<std::size_t>(row * kTileSide + column)] = word_of(corner[row * columns + column]);
    }
    std::memcpy(bytes.data() + 1, words.data(), sizeof words);
    hasher.hash(bytes, digests[tile]);
  }
}

}  // namespace

void hash_tile_rows(const float* result, std::int64_t columns, std::span<Digest> digests) {
  hash_rows(result, columns, digests);
}

void hash_tile_rows(const std::int32_t* result, std::int64_t columns, std::span<Digest> digests) {
  hash_rows(result, columns, digests);
}

}  // namespace gpuassay
