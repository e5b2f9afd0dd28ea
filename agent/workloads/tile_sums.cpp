#include "agent/workloads/tile_sums.h"

#include <algorithm>

#include "kernels/arguments.h"

namespace gpuassay {
namespace {
constexpr std::int64_t kTileWords = kernels::kTileBytes / 8;
}

std::uint64_t TileSums::block_sum(std::int64_t block, std::int64_t passes) {
  const std::int64_t tiles = (words_ + kTileWords - 1) / kTileWords;
  std::uint64_t sum = 0;
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    for (std::int64_t tile = (block + pass) % grid_; tile < tiles; tile += grid_) sum += tile_sum(tile);
  }
  return sum;
}

std::uint64_t TileSums::tile_sum(std::int64_t tile) {
  const auto [place, fresh] = tiles_.emplace(tile, 0);
  if (fresh) {
    const std::int64_t end = std::min(words_, (tile + 1) * kTileWords);
    for (std::int64_t i = tile * kTileWords; i < end; ++i) place->second += word_at_(i);
  }
  return place->second;
}

}  // namespace gpuassay
