#include "core/floor/tiles.h"

#include <algorithm>
#include <string>
#include <vector>

namespace gpuassay {
namespace {

/// Of k: what 32 rows of it take stays in the first cache.
constexpr std::int64_t kPiece = 1'024;

/// 16 rows of an operand, from `column` on.
class RowPiece {
 public:
  void fill(const PhiloxStream& stream, const FloorShape& shape, std::int64_t first_row, std::int64_t column) {
    std::array<std::int8_t, kPiece> bytes{};
    for (std::int64_t row = 0; row < kTileSide; ++row) {
      fill_integers(stream, shape.largest, static_cast<std::uint64_t>((first_row + row) * shape.k + column), bytes);
      std::copy(bytes.begin(), bytes.end(), rows_[static_cast<std::size_t>(row)].begin());
    }
  }
  [[nodiscard]] const std::array<std::int16_t, kPiece>& row(std::size_t index) const { return rows_[index]; }

 private:
  /// Of 16 bits: products of such are what every processor adds in pairs.
  std::array<std::array<std::int16_t, kPiece>, kTileSide> rows_{};
};

std::int32_t dot(const std::array<std::int16_t, kPiece>& left, const std::array<std::int16_t, kPiece>& right) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < left.size(); ++i) sum += left[i] * right[i];
  return sum;
}

}  // namespace

Digest tile_hash(const Tile& tile) {
  constexpr unsigned kByteBits = 8;
  std::string bytes;
  bytes.reserve(tile.size() * sizeof(std::int32_t));
  for (const std::int32_t number : tile) {
    for (unsigned byte = 0; byte < sizeof(std::int32_t); ++byte)
      bytes.push_back(static_cast<char>(static_cast<std::uint32_t>(number) >> (kByteBits * byte)));
  }
  return merkle_leaf_hash(bytes);
}

Tile recompute_tile(const FloorShape& shape, const FloorStep& step, std::int64_t tile) {
  const std::int64_t across = shape.n / kTileSide;
  const PhiloxStream a = stream_of_a(step.seed, step.device, step.step, step.before);
  const PhiloxStream b = stream_of_b(step.seed, step.device);
  RowPiece a_piece, b_piece;
  Tile result{};
  for (std::int64_t column = 0; column < shape.k; column += kPiece) {
    a_piece.fill(a, shape, tile / across * kTileSide, column);
    b_piece.fill(b, shape, tile % across * kTileSide, column);
    for (std::size_t i = 0; i < result.size(); ++i)
      result[i] += dot(a_piece.row(i / kTileSide), b_piece.row(i % kTileSide));
  }
  return result;
}

}  // namespace gpuassay
