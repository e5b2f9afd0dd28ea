// What must the reading kernels (gpuassay_read, gpuassay_gather) have summed up? The rule of kernels/arguments.h, told
// again for the host.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

namespace gpuassay {

/// Sums of 64-bit words, modulo 2^64, as the blocks of a grid add them up tile by tile.
class TileSums {
 public:
  using WordAt = std::function<std::uint64_t(std::int64_t index)>;

  /// `words` 64-bit words, word_at tells each; read by `grid` blocks.
  TileSums(std::int64_t words, std::int64_t grid, WordAt word_at)
      : words_(words), grid_(grid), word_at_(std::move(word_at)) {}

  /// What block `block` writes after `passes` passes.
  std::uint64_t block_sum(std::int64_t block, std::int64_t passes);

 private:
  std::uint64_t tile_sum(std::int64_t tile);

  std::int64_t words_, grid_;
  WordAt word_at_;
  std::unordered_map<std::int64_t, std::uint64_t> tiles_;  ///< a tile is read again in every pass
};

}  // namespace gpuassay
