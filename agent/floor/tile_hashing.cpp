#include "agent/floor/tile_hashing.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "core/error.h"
#include "core/floor/shape.h"

namespace gpuassay {
namespace {

void require_openssl(bool worked) {
  if (!worked) throw Error(ErrorCode::internal, "OpenSSL does not compute SHA-256");
}

/// merkle_leaf_hash() of one tile after another.
class LeafHasher {
 public:
  LeafHasher() { require_openssl(context_ && sha256_); }

  void hash(const std::array<unsigned char, kTileElements * sizeof(std::int32_t)>& bytes, Digest& digest) const {
    constexpr unsigned char kLeaf = 0;
    require_openssl(EVP_DigestInit_ex(context_.get(), sha256_.get(), nullptr) == 1 &&
                    EVP_DigestUpdate(context_.get(), &kLeaf, 1) == 1 &&
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
  constexpr unsigned kByteBits = 8;
  const LeafHasher hasher;
  std::array<unsigned char, kTileElements * sizeof(std::int32_t)> bytes{};
  const std::int64_t across = columns / kTileSide;
  for (std::size_t tile = 0; tile < digests.size(); ++tile) {
    const auto number = static_cast<std::int64_t>(tile);
    const T* corner = result + number / across * kTileSide * columns + number % across * kTileSide;
    unsigned char* out = bytes.data();
    for (std::int64_t row = 0; row < kTileSide; ++row) {
      for (std::int64_t column = 0; column < kTileSide; ++column) {
        const std::uint32_t word = word_of(corner[row * columns + column]);
        for (unsigned byte = 0; byte < sizeof word; ++byte)
          *out++ = static_cast<unsigned char>(word >> (kByteBits * byte));
      }
    }
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
